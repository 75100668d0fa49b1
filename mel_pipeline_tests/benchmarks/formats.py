"""All formats of one quarter in three languages beside what their libraries take for the same work alone.

Bare: matplotlib saving the same figures (SVG and PNG), drawn before the clock starts, and WeasyPrint's own
``write_pdf`` of the same pages as we prepare them for paper, prepared before the clock starts (of the pages as they
are it takes many times as long: grids inside columns). Full: pages, charts, PDF, workbooks, CSV and data package from
frames to files, with the comparison of the languages.
Each turn is a process of its own, full and bare take turns, the median of the processor time counts, so that
other work on the machine does not.
"""

from __future__ import annotations

import argparse
import io
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mel_pipeline_tests.benchmarks.contenders.clock import peak_mb
from mel_pipeline_tests.benchmarks.measuring import Turns, child, keep, ratio, show
from mel_pipeline_tests.benchmarks.targets import Verdict

TURNS = 3
LANGUAGES = ["en", "fr", "es"]


def full(folder: Path) -> dict[str, float]:
    """Seconds a format of the whole build."""
    from mel_pipeline.reporting import build_editions
    from mel_pipeline.reporting.open_data.build import build_data_package
    from mel_pipeline.reporting.pdf.build import build_pdf
    from mel_pipeline.reporting.workbook.build import build_workbook
    from mel_pipeline_tests.golden.sample_edition import REPORTS, sample_edition

    edition = sample_edition()
    return {
        "pages and charts": timed(lambda: build_editions(edition, folder, REPORTS, LANGUAGES)),
        "pdf": timed(lambda: [build_pdf(edition, folder, REPORTS, language) for language in LANGUAGES]),
        "workbooks": timed(
            lambda: [build_workbook(edition, folder, REPORTS, language) for language in LANGUAGES]
        ),
        "csv": timed(lambda: build_data_package(edition, folder)),
    }


def bare(folder: Path) -> dict[str, float]:
    """Seconds of the libraries alone; the page is the one that ``full`` wrote."""
    from weasyprint import HTML

    from mel_pipeline.reporting.print_tree import for_paper, page_footer
    from mel_pipeline.reporting.text.texts import load_texts
    from mel_pipeline_tests.golden.sample_edition import REPORTS, sample_edition

    edition, figures = sample_edition(), captured()
    pages = [folder / "2024-Q4" / f"report-{language}.html" for language in LANGUAGES]
    papers = []
    for language, page in zip(LANGUAGES, pages, strict=True):
        texts = load_texts(REPORTS, language)
        css = (REPORTS / "templates" / "print.css").read_text(encoding="utf-8") + page_footer(texts)
        paper = HTML(filename=str(page))
        for_paper(paper.etree_element, css, texts, organisation=edition.organisation, day=edition.data_as_of)
        papers.append(paper)
    return {
        "savefig": timed(lambda: [figure.savefig(io.BytesIO(), **more) for figure, more in figures]),
        "write_pdf": timed(lambda: [paper.write_pdf(pdf_variant="pdf/ua-1") for paper in papers]),
    }


def captured() -> list[tuple[Any, dict[str, Any]]]:
    """Every figure the page saves, with how it is saved."""
    from matplotlib.figure import Figure

    from mel_pipeline.reporting import build_editions
    from mel_pipeline_tests.golden.sample_edition import REPORTS, sample_edition

    saved: list[tuple[Any, dict[str, Any]]] = []
    original = Figure.savefig

    def noting(figure: Figure, *args: Any, **more: Any) -> None:
        saved.append((figure, more))
        original(figure, *args, **more)

    Figure.savefig = noting  # type: ignore[method-assign]
    try:
        with tempfile.TemporaryDirectory() as folder:
            build_editions(sample_edition(), Path(folder), REPORTS, LANGUAGES)
    finally:
        Figure.savefig = original  # type: ignore[method-assign]
    return saved


def timed(work: Callable[[], object]) -> float:
    begun = time.process_time()
    work()
    return time.process_time() - begun


def measured(work: str, folder: Path) -> None:
    import matplotlib.font_manager  # noqa: F401
    import weasyprint  # noqa: F401
    import xlsxwriter  # noqa: F401

    import mel_pipeline.reporting.charts.canvas  # noqa: F401

    parts = {"full": full, "bare": bare}[work](folder)
    print(json.dumps({"parts": parts, "peak": peak_mb()}), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", nargs=2)
    parser.add_argument("--quick", action="store_true", help="one turn")
    asked = parser.parse_args()
    if asked.work:
        measured(asked.work[0], Path(asked.work[1]))
        return
    found: dict[str, Turns] = {}

    def note(name: str, seconds: float, peak: float) -> None:
        found.setdefault(name, Turns(name)).note({"seconds": seconds, "peak": peak})

    for _ in range(1 if asked.quick else TURNS):
        with tempfile.TemporaryDirectory() as folder:
            for work in ("full", "bare"):
                told = child([sys.executable, "-W", "ignore", "-m", __spec__.name, "--work", work, folder])
                for name, seconds in told["parts"].items():
                    note(name, seconds, told["peak"])
                note(work, sum(told["parts"].values()), told["peak"])
    show("Processor time of one quarter in three languages", found, "bare")
    keep("formats", {",".join(LANGUAGES): found}, [Verdict("report", ratio(found["full"], found["bare"]))])


if __name__ == "__main__":
    main()
