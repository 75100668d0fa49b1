"""`mel cities`: survey cities not matched with a member. The logic is in ingest.city_names and ingest.identity."""

from __future__ import annotations

import typer


def cities() -> None:
    """List survey cities awaiting a decision, with the most similar member."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from mel_pipeline.core.settings import load_settings
    from mel_pipeline.ingest.city_names import match_cities, read_members, review_in, undecided
    from mel_pipeline.ingest.identity import load_aliases
    from mel_pipeline.sources.workbook.versions import current
    from mel_pipeline.warehouse import Warehouse

    settings = load_settings()
    warehouse = Warehouse(settings.database_url, settings.lock_wait_seconds)
    version = current(settings)
    found = match_cities(warehouse, version)
    typer.echo(found.sentence)
    for problem in found.problems:
        typer.echo(f"✗ {problem}")
    members = read_members(warehouse, load_aliases())
    lines = undecided(warehouse, members, review_in(version, members))
    if not lines:
        return
    table = Table("Answer", "Country", "Times", "Suggestion", "Similarity", box=None, padding=(0, 2, 0, 0))
    for line in lines:
        similarity = "" if line.similarity is None else f"{line.similarity} %"
        table.add_row(
            escape(line.answer.text),
            escape(line.answer.country),
            str(line.answer.times),
            line.suggestion,
            similarity,
        )
    Console().print(table)
    typer.echo(
        "Decide in the workbook, sheet Cities, which lists them (`mel workbook get`): choose the member, or `not a"
        " member`. The next run applies it; nothing is matched by similarity alone."
    )
