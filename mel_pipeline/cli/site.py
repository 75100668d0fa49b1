"""`mel site`: the reading site of all editions. The logic is in reporting.inputs.site_data and reporting.site."""

from __future__ import annotations

import time

import typer


def site() -> None:
    """Write the reading site beside the published editions, and one with all drafts for the MEL lead."""
    from mel_pipeline.core.settings import load_settings
    from mel_pipeline.reporting.inputs.site_data import write_site
    from mel_pipeline.warehouse import Warehouse
    from mel_pipeline.warehouse.migrating import upgraded

    settings = load_settings()
    begun = time.perf_counter()
    both = write_site(upgraded(Warehouse(settings.database_url, settings.lock_wait_seconds)), settings)
    built = [site for site in (both.published, both.drafts) if site]
    files, written, removed = (
        sum(getattr(site, name) for site in built) for name in ("files", "written", "removed")
    )
    typer.echo(
        f"{files} files, {written} changed, {removed} removed in {time.perf_counter() - begun:.1f} seconds."
    )
    if both.published:
        typer.echo(f"Site: {both.published.index}")
    typer.echo(f"With drafts, for the MEL lead: {both.drafts.index}")
