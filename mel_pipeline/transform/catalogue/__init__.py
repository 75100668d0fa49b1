"""Indicators, campaigns, regions from YAML, targets and scales from the workbook: read by pydantic. No database here."""

from mel_pipeline.transform.catalogue.catalogue import Catalogue, catalogue_of, load_catalogue
from mel_pipeline.transform.catalogue.frames import catalogue_frames
from mel_pipeline.transform.catalogue.models import Campaign, Indicator, LineOfAction, Region, ScaleLabel

__all__ = [
    "Campaign",
    "Catalogue",
    "Indicator",
    "LineOfAction",
    "Region",
    "ScaleLabel",
    "catalogue_frames",
    "catalogue_of",
    "load_catalogue",
]
