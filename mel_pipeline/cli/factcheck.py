"""``mel factcheck``: check the numbers of a draft report. The logic is in the package factcheck."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mel_pipeline.core.errors import MelError

if TYPE_CHECKING:
    from mel_pipeline.factcheck import Line, Report

_STYLES = {"disagrees": "bold red", "withheld": "magenta", "unknown": "yellow", "agrees": "green"}
_BAD_INPUT = 2
_LONGEST = 160


def factcheck(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="The draft: TXT, MD, DOCX, PPTX, XLSX, XML or PDF.")
    ],
    language: Annotated[
        str | None,
        typer.Option("--language", "-l", metavar="fr", help="Language of the draft; detected if not given."),
    ] = None,
    period: Annotated[
        str | None,
        typer.Option("--period", "-p", metavar="2024", help="Period assumed for sentences that name none."),
    ] = None,
    csv: Annotated[
        Path | None, typer.Option("--csv", metavar="OUT", help="Write every number as CSV.")
    ] = None,
) -> None:
    """Check every number of a draft report against the published figures.

    Exit code 0: nothing disagrees. 1: something does. 2: the draft or the figures cannot be read.
    """
    from mel_pipeline.cli.publication import opened
    from mel_pipeline.factcheck.languages import known_languages
    from mel_pipeline.factcheck.published_figures import check_draft
    from mel_pipeline.ingest.origin import holds_sample

    if period is not None and not re.fullmatch(r"\d{4}(-Q[1-4])?", period):
        raise typer.BadParameter(f"'{period}' is not a period. Write it like 2024 or 2024-Q4.")
    if language is not None and language not in known_languages():
        raise typer.BadParameter(f"'{language}' is not one of {', '.join(known_languages())}.")
    try:
        warehouse, settings = opened()
        report = check_draft(warehouse, settings, file, language, period)
        if csv is not None:
            _write(report, csv)
    except MelError as error:
        typer.secho(f"Error: {error}", fg="red", err=True)
        raise typer.Exit(_BAD_INPUT) from None
    _print_report(report, sample=settings.sample or holds_sample(warehouse))
    if csv is not None:
        typer.echo(f"Written: {csv}")
    if report.count("disagrees"):
        raise typer.Exit(1)


def _print_report(report: Report, *, sample: bool) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from mel_pipeline.factcheck.checking import VERDICTS

    console = Console()
    for sentence in _basis(report, sample=sample):
        console.print(sentence, highlight=False)
    table = Table(
        "Number", "Verdict", "Figure", "Where and why", box=None, padding=(0, 2, 1, 0), header_style="bold"
    )
    table.columns[0].no_wrap = table.columns[1].no_wrap = True
    for verdict in VERDICTS[:-1]:
        for line in report.lines:
            if line.verdict == verdict:
                style = _STYLES[verdict]
                table.add_row(
                    escape(line.number), f"[{style}]{verdict}[/]", escape(_figure(line)), escape(_where(line))
                )
    if table.row_count:
        console.print(table)
    counts = ", ".join(
        f"{report.count(verdict)} {verdict}" for verdict in ("agrees", "disagrees", "unknown", "withheld")
    )
    console.print(
        f"[bold]{sum(report.count(verdict) for verdict in VERDICTS[:-1])} numbers:[/] {counts}.",
        highlight=False,
    )
    kinds = ", ".join(f"{kind} {count}" for kind, count in report.kinds.items())
    console.print(
        f"Not figures: {report.count('not a figure')}{f' ({kinds})' if kinds else ''}.", highlight=False
    )


def _basis(report: Report, *, sample: bool) -> list[str]:
    """What the draft was compared with, and a line for everything that limits the verdicts."""
    from babel import Locale

    lines = [
        f"Read as {Locale.parse(report.language).english_name}; sentences that name no period are compared with {report.period}."
    ]
    provisional = [period for period, published in report.periods.items() if not published]
    if provisional:
        verb = "is" if len(provisional) == 1 else "are"
        lines.append(
            f"[yellow]Not published yet: {', '.join(provisional)} {verb} provisional, and so are the verdicts.[/]"
        )
    if sample:
        lines.append("[yellow]The figures are those of the sample organisation.[/]")
    return lines + [f"[yellow]{warning}[/]" for warning in report.warnings]


def _figure(line: Line) -> str:
    if not line.indicator_id:
        return ""
    part = "" if line.part == "value" else f" {line.part}"
    name = f"{line.indicator_id} {line.period} {line.cell}{part}"
    value = f"\n{line.published}" if line.published else ""
    return f"{name}{value}" + (f" (draft {line.difference})" if line.difference else "")


def _where(line: Line) -> str:
    sentence = line.sentence if len(line.sentence) <= _LONGEST else f"{line.sentence[:_LONGEST]}…"
    why = f"\n{line.reason}" if line.reason else ""
    return f"{line.place}: {sentence}{why}" + (f"\nCandidates: {line.candidates}" if line.candidates else "")


def _write(report: Report, path: Path) -> None:
    """Write every line as CSV; text that a spreadsheet would read as a formula gets an apostrophe."""
    import csv
    import io
    from dataclasses import asdict, fields

    from mel_pipeline.factcheck import Line
    from mel_pipeline.reporting.files import write_if_changed

    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([column.name for column in fields(Line)])
    for line in report.lines:
        writer.writerow(
            [
                f"'{text}" if text.lstrip()[:1] in tuple("=+-@") and text else text
                for text in asdict(line).values()
            ]
        )
    write_if_changed(path, out.getvalue().encode("utf-8-sig"))
