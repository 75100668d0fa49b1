"""The reading site: editions, indicators and cities as plain files. Frames in, files out; no database here."""

from mel_pipeline.reporting.site.build import BuiltSite, build_site
from mel_pipeline.reporting.site.data import Presence, Site

__all__ = ["BuiltSite", "Presence", "Site", "build_site"]
