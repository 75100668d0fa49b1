"""Indicators, targets, campaigns, scales, regions and lines of action: YAML read by pydantic. No database, no SQL."""

from mel_pipeline.catalogue.catalogue import Catalogue, load_catalogue
from mel_pipeline.catalogue.frames import catalogue_frames
from mel_pipeline.catalogue.models import Campaign, Indicator, LineOfAction, Region, ScaleLabel

__all__ = [
    "Campaign",
    "Catalogue",
    "Indicator",
    "LineOfAction",
    "Region",
    "ScaleLabel",
    "catalogue_frames",
    "load_catalogue",
]
