"""`mel workbook`: the form for what people state, there and back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mel_pipeline.core.settings import Settings
    from mel_pipeline.sources.workbook.model import Preview, Row, Version

app = typer.Typer(
    help="What people state: targets, figures counted by hand, texts, corrections, codebooks.",
    no_args_is_help=True,
)
FileArgument = Annotated[Path, typer.Argument(help="The edited workbook.", exists=True, dir_okay=False)]
_SHOWN = 40


@app.command()
def get(
    file: Annotated[Path | None, typer.Argument(help="Where to write it; workbook.xlsx by default.")] = None,
    language: Annotated[str, typer.Option(help="Language of headings and notes: en, fr, es or ca.")] = "en",
) -> None:
    """Write the current workbook, to be edited in Excel, LibreOffice or Google Sheets."""
    from mel_pipeline.core.settings import load_settings
    from mel_pipeline.reporting.inputs.statement_form import form

    settings = load_settings()
    path = file or Path("workbook.xlsx")
    version, content = form(settings, language)
    path.write_bytes(content)
    rows = sum(len(found) for found in version.rows.values())
    typer.echo(f"{path}: version {version.number}, {rows:,} rows. Edit it, then `mel workbook check {path}`.")


@app.command()
def comments(
    file: Annotated[Path | None, typer.Argument(help="Where to write it; comments.xlsx by default.")] = None,
    coder: Annotated[
        Literal["first", "second", "both"],
        typer.Option(help="Whose column it has: that of one of the coders, or both to settle what differs."),
    ] = "first",
    language: Annotated[str, typer.Option(help="Language of headings and notes: en, fr, es or ca.")] = "en",
) -> None:
    """Write the open comments of surveys, to be given themes. The file holds personal data."""
    from mel_pipeline.core.settings import load_settings
    from mel_pipeline.reporting.inputs.comments import comments_form

    path = file or Path("comments.xlsx")
    version, content, count = comments_form(load_settings(), language, coder)
    path.touch(mode=0o600)
    path.write_bytes(content)
    typer.echo(
        f"{path}: {count:,} comments, version {version.number}. Write themes, then `mel workbook check {path}`."
        " It holds personal data: do not pass it on, and delete it afterwards."
    )


@app.command()
def check(file: FileArgument) -> None:
    """Show what an edited workbook would change, and what is refused, by sheet and cell. Nothing is stored."""
    from mel_pipeline.core.settings import load_settings

    found = _previewed(load_settings(), file)
    _show(found)
    if not found.is_empty:
        typer.echo(f'To make it count: `mel workbook accept {file} --role "MEL lead"`.')
    if found.refused or found.conflicts:
        raise typer.Exit(1)


@app.command()
def accept(
    file: FileArgument,
    role: Annotated[str, typer.Option(help="Role of who accepts, never a person's name.")],
    note: Annotated[str, typer.Option(help="What the change is about.")] = "",
    remove: Annotated[
        bool, typer.Option("--remove", help="Allow a sheet to lose more than half of its rows.")
    ] = False,
) -> None:
    """Make an edited workbook the next version; what is refused stays as it was."""
    from mel_pipeline.core.logins import acting
    from mel_pipeline.core.settings import load_settings
    from mel_pipeline.publication import signatures

    settings = load_settings()
    found = _previewed(settings, file)
    _show(found)
    if found.is_empty:
        typer.echo("Nothing to accept.")
        return
    done = signatures.accept(settings, found, role, note, remove=remove, by=acting(settings))
    typer.echo(f"Accepted as version {done.number}. The next run calculates with it.")


@app.command()
def history(
    sheet: Annotated[
        str | None, typer.Option(help="Only versions that changed this sheet, such as targets.")
    ] = None,
) -> None:
    """List the versions: when, by which role (and, where people sign in, by whom), and what they changed."""
    from rich.console import Console
    from rich.table import Table

    from mel_pipeline.core.settings import load_settings
    from mel_pipeline.sources.workbook import versions
    from mel_pipeline.sources.workbook.sheets import sheets

    if sheet is not None and sheet not in sheets():
        raise typer.BadParameter(f"There is no sheet '{sheet}'. There are: {', '.join(sheets())}.")
    table = Table("Version", "Accepted", "Role", "Changes", "Note", box=None, padding=(0, 2, 0, 0))
    for version in versions.history(load_settings()):
        counts = {name: found for name, found in version.counts.items() if sheet in (None, name)}
        if sheet is not None and version.number and not counts:
            continue
        when = f"{version.accepted_at:%Y-%m-%d %H:%M}" if version.accepted_at else ""
        table.add_row(
            str(version.number),
            when,
            " · ".join(filter(None, (version.role, version.by))),
            _changes(version, counts),
            version.note,
        )
    Console().print(table)


@app.command("import")
def import_files() -> None:
    """Move what stands in the YAML files of before into the workbook; afterwards they are no longer read."""
    from mel_pipeline.core.logins import acting
    from mel_pipeline.core.settings import load_settings
    from mel_pipeline.reporting.inputs.statements import previewed
    from mel_pipeline.sources.workbook.importing import import_into

    settings = load_settings()
    done = import_into(settings, lambda upload: previewed(settings, upload), acting(settings))
    for words in done.sentences:
        typer.echo(words)


def _previewed(settings: Settings, file: Path) -> Preview:
    from mel_pipeline.reporting.inputs.statements import judge

    return judge(settings, file)


def _show(found: Preview) -> None:
    from mel_pipeline.sources.workbook.said import said_in

    language = found.upload.language
    typer.echo(found.sentence)
    for name, changes in (("new", found.new), ("changed", found.changed), ("removed", found.removed)):
        lines = [
            f"{change.sheet} {change.id or change.cell}: {_row(change.after or change.before or {})}"
            for change in changes
        ]
        _listed(name, lines)
    _listed(
        "refused",
        [one.within(language) + (f" ({one.found})" if one.found else "") for one in found.refused],
    )
    _listed(
        "changed in two places; the current row stays",
        [
            f"{one.sheet} {one.id} {one.cell}: {_row(one.current or {})} | {_row(one.uploaded or {})}"
            for one in found.conflicts
        ],
    )
    for words in found.warnings:
        typer.echo(f"! {said_in(words, language)}")


def _listed(name: str, lines: Sequence[str]) -> None:
    for line in lines[:_SHOWN]:
        typer.echo(f"{'✗' if name == 'refused' else '·'} {name}: {line}")
    if len(lines) > _SHOWN:
        typer.echo(f"  … and {len(lines) - _SHOWN:,} more {name}.")


def _row(row: Row) -> str:
    return " · ".join(str(value) for key, value in row.items() if value and key != "id")[:160]


def _changes(version: Version, counts: object) -> str:
    from collections.abc import Mapping

    if not version.number:
        return "start"
    assert isinstance(counts, Mapping)  # noqa: S101 - of the version
    return "; ".join(
        f"{name}: {', '.join(f'{count} {what}' for what, count in found.items())}"
        for name, found in counts.items()
    )
