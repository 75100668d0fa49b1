"""`mel zoho`: inspect the CRM account when setting it up. The logic is in sources.zoho_crm."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mel_pipeline.core.errors import SettingsError

if TYPE_CHECKING:
    from mel_pipeline.sources.zoho_crm.propose import Findings

app = typer.Typer(
    help="Inspect the Zoho CRM account: credentials, limits, names of modules and fields.",
    no_args_is_help=True,
)
_MARKS = {True: "✓", False: "✗", None: "·"}


@app.command()
def check() -> None:
    """Test credentials, scopes, modules and limits. Exit code 1 if a load would fail."""
    from mel_pipeline.core.contracts import contract_of
    from mel_pipeline.core.settings import load_settings
    from mel_pipeline.defs.serving.sample import sample_sources
    from mel_pipeline.sources.zoho_crm.check import run_checks
    from mel_pipeline.sources.zoho_crm.client import open_api
    from mel_pipeline.sources.zoho_crm.mapping import mapping_for

    faults = 0
    with sample_sources(load_settings()) as settings:
        for verdict in run_checks(open_api(settings), contract_of("zoho_crm"), mapping_for(settings)):
            faults += verdict.ok is False
            typer.echo(f"{_MARKS[verdict.ok]} {verdict.subject}: {verdict.message}")
    typer.echo("Loads will work." if not faults else f"{faults} to fix before loads work.")
    if faults:
        raise typer.Exit(1)


@app.command("map")
def map_names(
    write: Annotated[
        Path | None, typer.Option("--write", metavar="FILE", help="Write the proposed mapping to a new file.")
    ] = None,
    unread: Annotated[bool, typer.Option("--unread", help="Also list unused fields.")] = False,
) -> None:
    """Compare the mapping with the live account: what matches, what is missing, what might be meant."""
    from mel_pipeline.core.contracts import contract_of
    from mel_pipeline.core.settings import load_settings
    from mel_pipeline.defs.serving.sample import sample_sources
    from mel_pipeline.sources.zoho_crm import check as looks
    from mel_pipeline.sources.zoho_crm import propose
    from mel_pipeline.sources.zoho_crm.client import open_api
    from mel_pipeline.sources.zoho_crm.mapping import mapping_for

    if write is not None and write.exists():
        raise SettingsError(
            f"Writing the mapping: {write} already exists. Choose a new file and compare the two by hand."
        )
    contract = contract_of("zoho_crm")
    with sample_sources(load_settings()) as settings:
        mapping = mapping_for(settings)
        found = list(looks.compare_mapping(open_api(settings), contract, mapping))
    for one in found:
        _print_findings(one, unread=unread)
    if write is not None:
        write.write_text(propose.as_yaml(found, mapping, contract), encoding="utf-8")
        typer.echo(f"Written: {write}. Review it, then set MEL_ZOHO_MAPPING={write}")


def _print_findings(one: Findings, *, unread: bool) -> None:
    mark = _MARKS[one.complete]
    if not one.module_exists:
        typer.echo(f"{mark} {one.entity}: no similar module; write its API name into the mapping")
        return
    typer.echo(
        f"{mark} {one.entity}: module {one.module}, {sum(p.is_mapped for p in one.placements)} of {len(one.placements)} columns"
    )
    for place in one.placements:
        if not place.is_mapped:
            words = f"perhaps {place.field}: {place.evidence}" if place.field else "no similar field"
            typer.echo(f"    ✗ {place.column}: {words}")
        if place.unknown_values:
            typer.echo(
                f"    · {place.column}: values the pipeline does not know: {', '.join(place.unknown_values)}"
            )
    if one.personal:
        typer.echo(f"    · never read, personal: {', '.join(one.personal)}")
    if one.unmapped:
        shown = ": " + ", ".join(one.unmapped) if unread else "; --unread lists them"
        typer.echo(f"    · {len(one.unmapped)} unused fields{shown}")
