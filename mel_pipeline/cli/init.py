"""`mel init`: a folder for an organisation's own facts, from the shipped example."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

FolderArgument = Annotated[Path, typer.Argument(help="Folder to make; it must not exist yet, or be empty.")]


def init(folder: FolderArgument) -> None:
    """Make a folder for what is true of your organisation alone: name, plan, regions, targets, languages."""
    from mel_pipeline.core.organisation import SETTING, start

    made = start(folder)
    typer.echo(f"Made {made.place} with:")
    for name, about in made.files.items():
        typer.echo(f"  {name:<22} {about}")
    typer.echo(
        f"Edit them, and write {SETTING}={made.place} into {made.env_file}. Upgrades never change this folder;"
        " `mel doctor` says what a new version adds."
    )
