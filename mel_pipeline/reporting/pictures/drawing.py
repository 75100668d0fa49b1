"""Draw the pictures of an edition in several processes, before its pages need them.

Each process puts its pictures into the cache, where the pages find them: the bytes are the same whatever the number
of processes.
"""

from __future__ import annotations

from concurrent.futures.process import BrokenProcessPool
from typing import TYPE_CHECKING

from mel_pipeline.core.processes import interruptible, may_start_more, workers
from mel_pipeline.reporting import cache
from mel_pipeline.reporting.figures.lookup import Figures
from mel_pipeline.reporting.figures.measures import measures
from mel_pipeline.reporting.pictures.charts import drawings
from mel_pipeline.reporting.pictures.page import page_charts
from mel_pipeline.reporting.text.texts import texts_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from mel_pipeline.reporting.edition import Edition


def draw_in_processes(edition: Edition, sources_dir: Path, languages: Sequence[str], processes: int) -> None:
    """Draw what the pages of an edition show, in ``processes`` at once including this one.

    Does nothing without a cache, or where this process may start no other.

    Raises:
        ReportError: as drawing in this process.
    """
    folder = cache.folder()
    parts = [(language, narrow) for narrow in (False, True) for language in languages]
    if folder is None or processes < 2 or len(parts) < 2 or not may_start_more():
        return
    with workers(min(processes, len(parts)) - 1, _init_worker, (edition, sources_dir, folder)) as pool:
        drawn = [(pool.submit(_draw_part_in_worker, *part), part) for part in parts]
        for future, part in reversed(drawn):
            if future.cancel():
                draw_part(edition, sources_dir, *part)
        for future, part in drawn:
            if not future.cancelled():
                try:
                    future.result()
                except BrokenProcessPool:  # killed from outside, such as when memory runs out
                    draw_part(edition, sources_dir, *part)


def draw_part(edition: Edition, sources_dir: Path, language: str, narrow: bool) -> None:
    """Draw the wide or the narrow pictures of one language into the cache."""
    texts = texts_of(edition, sources_dir, language)
    known = measures(edition, language)
    figures = Figures(edition, known)
    drawings(edition, [one for one in known if one.pictured], figures, sources_dir, texts, narrow=narrow)
    page_charts(edition, known, figures, texts, sources_dir, narrow=narrow)


_WORKER_INPUTS: list[tuple[Edition, Path, Path]] = []  # of a worker: edition, sources, cache folder


def _init_worker(edition: Edition, sources_dir: Path, folder: Path) -> None:
    _WORKER_INPUTS.append((edition, sources_dir, folder))


def _draw_part_in_worker(language: str, narrow: bool) -> None:
    edition, sources_dir, folder = _WORKER_INPUTS[0]
    with interruptible(), cache.using(folder):
        draw_part(edition, sources_dir, language, narrow)
