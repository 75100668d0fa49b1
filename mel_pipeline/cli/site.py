"""`mel site`: the reading site of all editions. The logic is in reporting.inputs.site_data and reporting.site."""

from __future__ import annotations

import time

import typer


def site() -> None:
    """Write the reading site beside the editions: every report, indicator and city; works from a file share."""
    from mel_pipeline.core.settings import load_settings
    from mel_pipeline.reporting.inputs.site_data import write_site
    from mel_pipeline.warehouse import Warehouse
    from mel_pipeline.warehouse.migrating import upgraded

    settings = load_settings()
    begun = time.perf_counter()
    built = write_site(upgraded(Warehouse(settings.database_url, settings.lock_wait_seconds)), settings)
    typer.echo(
        f"{built.files} files, {built.written} changed, {built.removed} removed"
        f" in {time.perf_counter() - begun:.1f} seconds."
    )
    typer.echo(f"Site: {built.index}")
