"""All formats of one quarter in three languages compared with their libraries alone on the same work.

Bare: matplotlib building and saving the same figures from the same frames, and Typst turning them into PNG and setting
the same documents; frames and documents are ready before the clock starts. Full: pages, charts, PDF, workbooks, CSV and
data package from frames to files, with the comparison of the languages.
Each turn is a separate process, full and bare alternate, and the median processor time counts, so that other
work on the machine does not.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

from mel_pipeline_tests.benchmarks.contenders.clock import peak_mb
from mel_pipeline_tests.benchmarks.measuring import Turns, child, keep, ratio, show
from mel_pipeline_tests.benchmarks.targets import Verdict

TURNS = 3
LANGUAGES = ["en", "fr", "es"]


def full(folder: Path) -> dict[str, float]:
    """Seconds per format of the whole build."""
    from mel_pipeline.reporting import build_editions
    from mel_pipeline.reporting.open_data.build import build_data_package
    from mel_pipeline.reporting.workbook.build import build_workbook
    from mel_pipeline_tests.golden.sample_edition import REPORTS, sample_edition

    edition = sample_edition()
    return {
        "pages, charts, pdf": timed(
            lambda: build_editions(edition, folder, REPORTS, LANGUAGES, with_pdf=True)
        ),
        "workbooks": timed(
            lambda: [build_workbook(edition, folder, REPORTS, language) for language in LANGUAGES]
        ),
        "csv": timed(lambda: build_data_package(edition, folder)),
    }


def bare(_: Path) -> dict[str, float]:
    """Seconds that matplotlib and Typst alone need: the same figures built and saved, the same documents set."""
    import typst

    from mel_pipeline.reporting.charts import canvas
    from mel_pipeline.reporting.pdf.build import palette_input
    from mel_pipeline_tests.golden.sample_edition import REPORTS

    figures, documents = captured()
    template, palette = REPORTS / "templates" / "report.typ", palette_input(REPORTS)
    fonts: Any = typst.Fonts(
        include_system_fonts=False, include_embedded_fonts=False, font_paths=[REPORTS / "fonts"]
    )
    saved: list[bytes] = []
    with canvas.house_style(REPORTS):
        matplotlib = timed(
            lambda: saved.extend(
                canvas.svg(draw(frame, texts), title) for draw, frame, texts, title, _ in figures
            )
        )
    wide = [svg for svg, figure in zip(saved, figures, strict=True) if figure[-1]]
    return {
        "matplotlib": matplotlib,
        "typst, png": timed(lambda: [canvas.png(svg) for svg in wide]),
        "typst, pdf": timed(
            lambda: [
                typst.compile(
                    template,
                    root=template.parent,
                    font_paths=fonts,
                    sys_inputs={"document": document, "palette": palette},
                    format="pdf",
                    pdf_standards=["ua-1"],
                )
                for document in documents
            ]
        ),
    }


def captured() -> tuple[list[tuple[Any, Any, Any, str, bool]], list[str]]:
    """What the pages draw (function, frame, texts, title, whether as PNG, too), and the document of each PDF."""
    from mel_pipeline.reporting.page.model import drawn_page
    from mel_pipeline.reporting.pdf.document import pdf_document
    from mel_pipeline.reporting.pictures import picture
    from mel_pipeline.reporting.text.texts import load_texts
    from mel_pipeline_tests.golden.sample_edition import REPORTS, sample_edition

    drawn: list[tuple[Any, Any, Any, str, bool]] = []
    original = picture._drawn

    def noting(frame: Any, texts: Any, draw: Any, title: str, with_png: bool) -> picture.Picture:
        drawn.append((draw, frame, texts, title, with_png))
        return original(frame, texts, draw, title, with_png)

    with patch.object(picture, "_drawn", noting):
        models = [
            drawn_page(sample_edition(), REPORTS, load_texts(REPORTS, language)).model
            for language in LANGUAGES
        ]
    return drawn, [json.dumps(pdf_document(model), ensure_ascii=False) for model in models]


def timed(work: Callable[[], object]) -> float:
    begun = time.process_time()
    work()
    return time.process_time() - begun


def measured(work: str, folder: Path) -> None:
    import matplotlib.font_manager  # noqa: F401
    import pypdf  # noqa: F401
    import typst  # noqa: F401
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
