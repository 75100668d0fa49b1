"""Loads all definitions and resolves every job, as Dagster does; `make check` runs it."""

from __future__ import annotations

import dagster as dg

from mel_pipeline.defs import build as build_all


def main() -> None:
    """Print how many assets, checks and jobs there are; any fault raises."""
    definitions = build_all()
    dg.Definitions.validate_loadable(definitions)
    graph = definitions.resolve_asset_graph()
    jobs = [job.name for job in definitions.jobs or []]
    print(  # noqa: T201 - a command
        f"Dagster: {len(graph.get_all_asset_keys())} assets, {len(graph.asset_check_keys)} checks, jobs {', '.join(jobs)}"
    )


if __name__ == "__main__":
    main()
