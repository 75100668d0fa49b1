"""Dagster's home folder: where runs and events are kept."""

from __future__ import annotations

import os
from pathlib import Path

import dagster as dg

from mel_pipeline.settings import Settings

SHIPPED = Path(__file__).parent / "dagster.yaml"


def prepare_home(settings: Settings) -> Path:
    """Make the folder with our dagster.yaml, unless the operator has put another one there; point Dagster at it."""
    home = settings.dagster_home.resolve()
    home.mkdir(parents=True, exist_ok=True)
    target = home / "dagster.yaml"
    if not target.exists():
        target.write_text(SHIPPED.read_text(encoding="utf-8"), encoding="utf-8")
    os.environ["DAGSTER_HOME"] = str(home)
    os.environ["DAGSTER_DISABLE_TELEMETRY"] = "1"
    # Events of one step are written together: one commit an event is most of what a short step costs.
    os.environ.setdefault("DAGSTER_EVENT_BATCH_SIZE", "50")
    return home


def open_instance(settings: Settings) -> dg.DagsterInstance:
    prepare_home(settings)
    return dg.DagsterInstance.get()


def daemon_is_running(settings: Settings) -> bool:
    """The daemon has given a sign of life within Dagster's own tolerance."""
    from dagster._daemon.controller import all_daemons_live

    with open_instance(settings) as instance:
        return all_daemons_live(instance)
