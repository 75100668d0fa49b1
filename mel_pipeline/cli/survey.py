"""`mel survey`: inspect a survey export before or after loading. The logic is in sources.shared.survey."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mel_pipeline.core.errors import ContractError, SettingsError

if TYPE_CHECKING:
    from mel_pipeline.core.settings import Settings
    from mel_pipeline.sources.shared.survey.inspection import Inspection

app = typer.Typer(help="Inspect survey exports and write their codebooks.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Inspect survey exports and write their codebooks."""


@app.command()
def inspect(
    file: Annotated[
        Path, typer.Argument(help="An export; a bare name is also looked up in the drop folder.")
    ],
    write: Annotated[
        bool, typer.Option("--write", help="Write the proposed codebook into the folder of codebooks.")
    ] = False,
) -> None:
    """Show the content of an export: tool, columns, guesses with evidence, labels missing from every scale, personal data."""
    from mel_pipeline.core.settings import load_settings
    from mel_pipeline.sources.shared.files import FileRefusedError

    settings = load_settings()
    path = file if file.exists() else settings.survey_folder / file
    if not path.is_file():
        raise SettingsError(f"Inspecting {file}: there is no such file, here or in {settings.survey_folder}.")
    from mel_pipeline.sources.workbook.versions import current

    try:
        found = _inspected(path, settings)
    except FileRefusedError as reason:
        raise ContractError(f"Inspecting {path.name}: {reason}") from None
    for one in found:
        _print_inspection(one, told=not write)
        if write:
            _write(one, settings.survey_folder / "codebooks", in_use=current(settings).kept)


def _inspected(path: Path, settings: Settings) -> list[Inspection]:
    """Of the file, or of each export in a zip."""
    from mel_pipeline.core.normalize_text import normalize_answer
    from mel_pipeline.sources.shared.files import dropped, unpacked
    from mel_pipeline.sources.shared.survey.codebook import codebook_for
    from mel_pipeline.sources.shared.survey.inspection import inspect as inspect_export
    from mel_pipeline.sources.shared.survey.plan import plan_of
    from mel_pipeline.sources.shared.survey.reading import open_export
    from mel_pipeline.sources.shared.survey.responses import require_identities
    from mel_pipeline.sources.shared.survey.screening import in_words
    from mel_pipeline.sources.survey_files.client import TABLES, rules_of
    from mel_pipeline.sources.survey_files.members import exports_in, survey_of
    from mel_pipeline.transform.catalogue import catalogue_of

    rules = rules_of(settings)
    labels = catalogue_of(settings).scale_labels
    scales: dict[str, frozenset[str]] = {
        scale: frozenset(normalize_answer(one.label) for one in labels if one.scale == scale)
        for scale in ("satisfaction", "gender")
    }
    dates = {"day_first": "Dates have the day first.", "month_first": "Dates have the month first."}
    inspections = []
    with unpacked(dropped(path), TABLES) as (tables, others):
        for name, why in others.items():
            typer.echo(f"{name}: {why}")
        for table, groups in exports_in(tables, rules.fallback)[0]:
            survey = survey_of(table, dropped(path))
            with open_export(table, rules.profiles, rules.fallback, survey, groups) as export:
                book = codebook_for(export.survey, rules.codebooks, export.questions)
                order = export.order(book, rules.order)
                how = [*export.layout.notes, f"It is {export.how}.", *([dates[order]] if order else [])]
                with closing(export.chunks(order)) as chunks:
                    first = next(chunks)
                    require_identities(first, book)
                    how += export.warnings_of(plan_of(first, book).joins, book)
                    how += [in_words(first.left_out).strip()] if first.left_out else []
                    responses = export.responses - sum(first.left_out.values())
                    inspections.append(inspect_export(first, responses, how, book, scales))
    return inspections


def _print_inspection(found: Inspection, *, told: bool = True) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    console.print(f"[bold]{found.survey}[/]: {found.tool}, {found.responses:,} responses", highlight=False)
    for line in found.how:
        console.print(f"  {line}", highlight=False)
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for title, width in (
        ("#", 3),
        ("Question", None),
        ("What it is", None),
        ("Answered", 8),
        ("Answers", None),
    ):
        table.add_column(title, justify="right" if title in ("#", "Answered") else "left", min_width=width)
    for column in found.columns:
        what = column.what
        if column.guess:
            what = f"[yellow]perhaps {column.guess.replace('_', ' ')}[/]: {column.why}"
        elif column.what.startswith("personal"):
            what = f"[red]{column.what}[/] ({column.why})"
        answered = "" if column.what.startswith("personal") else f"{column.answered:,}"
        table.add_row(
            str(column.number), _escaped(column.header), what, answered, _escaped(" · ".join(column.answers))
        )
    console.print(table)
    personal = [column for column in found.columns if column.what.startswith("personal")]
    console.print(
        f"Personal data: {len(personal)} {'column is' if len(personal) == 1 else 'columns are'} never read"
        + "".join(
            f"; addresses in {count} answers to '{_escaped(text)}' are removed"
            for text, count in found.removed.items()
        )
        + "."
    )
    console.print("\n[bold]For the figures[/]", highlight=False)
    for name, where in found.figures.items():
        missing = where.startswith("not ")
        console.print(f"  {name:<22}{'[yellow]' if missing else ''}{_escaped(where)}", highlight=False)
    if advice := found.scale.advice:
        console.print(f"[yellow]{_escaped(advice[0].upper() + advice[1:])}, as proposed below.[/]")
    if told:
        console.print(f"[bold]To do:[/] {found.to_do}", highlight=False)
    if found.guesses or found.scale.unknown or found.asks_no_event:
        console.print("\nProposed codebook (guesses are commented out; nothing is used until you save it):\n")
        console.print(found.codebook(form=False), highlight=False, markup=False, soft_wrap=True)


def _escaped(text: str) -> str:
    from rich.markup import escape

    return escape(text)


def _write(found: Inspection, folder: Path, *, in_use: bool) -> None:
    """``in_use``: the workbook is, so that files are no longer read."""
    from mel_pipeline.sources.shared.survey.binding import first_download

    path = folder / f"{first_download(found.survey)}.yml"
    if path.exists():
        raise SettingsError(
            f"Writing the codebook: {path} already exists, and it is used for every download of the form."
            " Edit it by hand."
        )
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(found.codebook(), encoding="utf-8")
    then = "move it into the workbook with `mel workbook import`" if in_use else "the next load reads it"
    typer.echo(f"Written: {path}. Review it; {then}.")
