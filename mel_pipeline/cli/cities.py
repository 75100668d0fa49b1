"""`mel cities`: survey cities not matched with a member. The logic is in ingest.city_names and ingest.identity."""

from __future__ import annotations

import typer


def cities() -> None:
    """List survey cities awaiting a decision, with the most similar member and the file to decide in."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from mel_pipeline.core.settings import load_settings
    from mel_pipeline.ingest.city_names import match_cities, read_members, review_path, undecided
    from mel_pipeline.ingest.identity import load_aliases, read_review
    from mel_pipeline.warehouse import Warehouse

    settings = load_settings()
    warehouse = Warehouse(settings.database_url, settings.lock_wait_seconds)
    path = review_path(settings)
    found = match_cities(warehouse, path)
    typer.echo(found.sentence)
    for problem in found.problems:
        typer.echo(f"✗ {problem}")
    members = read_members(warehouse, load_aliases())
    lines = undecided(warehouse, members, read_review(path, members))
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
        f"Decide in {found.list_path}: write the member's name, or `not a member`, into the last column."
        " The next run applies it; nothing is matched by similarity alone."
    )
