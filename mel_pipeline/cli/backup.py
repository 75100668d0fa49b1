"""``mel backup`` and ``mel restore``. The logic is in mel_pipeline.backup."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from mel_pipeline.backup.restoring import Step


def backup(
    listed: Annotated[bool, typer.Option("--list", help="Show the backups that are there instead.")] = False,
    check: Annotated[
        Path | None,
        typer.Option(
            help="Compare every file of a backup with its hash instead.", metavar="FOLDER", readable=False
        ),
    ] = None,
) -> None:
    """Write a backup into MEL_BACKUP_DIR: data, published quarters, history, texts, reports; keys apart, encrypted."""
    from mel_pipeline.backup import manifest
    from mel_pipeline.backup.making import back_up, place_of
    from mel_pipeline.core.settings import load_settings
    from mel_pipeline.warehouse import Warehouse

    settings = load_settings()
    if check is not None:
        held = manifest.check(check)
        typer.echo(f"{check.name}: {len(held.files):,} files are as they were written.")
        return
    if listed:
        for folder in manifest.backups(place_of(settings)):
            held = manifest.read(folder)
            typer.echo(f"{folder.name}  {held.rows:>12,} rows  {len(held.published):>3} published quarters")
        return
    made = back_up(settings, Warehouse(settings.database_url, settings.lock_wait_seconds))
    typer.echo(made.sentence)
    for sentence in made.manifest.left_out:
        typer.secho(f"! {sentence}", fg="yellow", err=True)
    for folder in made.removed:
        typer.echo(f"Removed: {folder.name}.")


def restore(
    folder: Annotated[
        Path,  # whether it may be read is said with what to do by `manifest`
        typer.Argument(help="The backup: a folder mel-YYYY-MM-DDTHHMMSSZ.", readable=False),
    ],
    verify: Annotated[
        bool, typer.Option(help="Recalculate every published quarter and compare it byte for byte.")
    ] = True,
    keep_settings: Annotated[
        bool,
        typer.Option("--keep-settings", help="Go on with this machine's settings, not those of the backup."),
    ] = False,
) -> None:
    """Restore a backup into an empty MEL_HOME, erase again who was erased since, and verify every published quarter."""
    from mel_pipeline.backup import restoring
    from mel_pipeline.core.settings import load_settings
    from mel_pipeline.warehouse import Warehouse

    settings = load_settings()
    sound = _say(restoring.restore_keys(settings, folder, keep_settings=keep_settings))
    settings = load_settings()  # .env may have been restored
    warehouse = Warehouse(settings.database_url, settings.lock_wait_seconds)
    sound &= _say(restoring.restore(settings, warehouse, folder))
    if verify:
        sound &= _say(restoring.verify(warehouse))
    if not sound:
        raise typer.Exit(1)
    typer.echo("Restored. Start the services now.")


def _say(steps: Iterable[Step]) -> bool:
    """Print steps as they are done; whether all are sound."""
    sound = True
    for step in steps:
        sound &= step.is_sound
        typer.secho(f"{'✓' if step.is_sound else '✗'} {step.sentence}", fg=None if step.is_sound else "red")
    return sound
