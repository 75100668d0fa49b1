"""What the pages of every language share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mel_pipeline.reporting.site.available_editions import AvailableEdition
from mel_pipeline.reporting.site.cities import City
from mel_pipeline.reporting.site.data import Site


@dataclass(frozen=True)
class Content:
    """Frames, editions and cities that every page may show."""

    site: Site
    editions: list[AvailableEdition]
    cities: list[City]
    medians: dict[tuple[str, str], float]
    quarters: list[str]
    sources_dir: Path
