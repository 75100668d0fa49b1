"""`mel dev`, `mel sandbox` and `mel doctor`. The logic is in the other packages."""

from __future__ import annotations

import os
from datetime import date
from typing import Annotated

import typer


def sandbox(
    port: Annotated[int | None, typer.Option(help="Port to serve on; MEL_SANDBOX_PORT by default.")] = None,
    today: Annotated[
        str | None, typer.Option(metavar="2024-12-31", help="Serve the sample as of this day.")
    ] = None,
    fail: Annotated[
        str,
        typer.Option(
            metavar="instagram=expired_token",
            help="Simulate failing platforms: down, expired_token, throttled or login_page."
            " For one account: instagram/17841400000000001=no_permission (docs/sources.md lists these limits).",
        ),
    ] = "",
) -> None:
    """Serve the sample organisation on this machine until Ctrl-C."""
    from mel_pipeline.core.settings import load_settings
    from mel_pipeline.sandbox import serve

    settings = load_settings()
    day = date.fromisoformat(today) if today else settings.current_day
    serve(
        settings.sandbox_port if port is None else port,
        day,
        settings.survey_folder,
        fail,
        settings.attendance_folder,
    )


def dev(
    port: Annotated[int, typer.Option(help="Port of the Dagster UI.")] = 3000,
    read_only: Annotated[
        bool, typer.Option("--read-only", help="Read-only: no runs can be started.")
    ] = False,
) -> None:
    """Open the Dagster UI on this machine, behind its access guard, together with the sample organisation."""
    from mel_pipeline.core.settings import load_settings
    from mel_pipeline.defs.serving.sample import sample_sources
    from mel_pipeline.defs.serving.starting import Starting
    from mel_pipeline.defs.serving.supervision import Parts
    from mel_pipeline.defs.serving.webserver import serve_ui

    parts = Parts()
    with sample_sources(
        load_settings(), fixed=True, started=lambda child: parts.add("The sample organisation", child)
    ) as settings:
        if (
            "ui_url" not in settings.model_fields_set
        ):  # for links in notifications, written by other processes
            os.environ["MEL_UI_URL"] = f"http://localhost:{port}"
        address = settings.public_url or f"http://127.0.0.1:{port}"
        starting = Starting(port, address, typer.echo)
        serve_ui(settings, port, parts, read_only=read_only, starting=starting)


def doctor(
    offline: Annotated[
        bool, typer.Option("--offline", help="Do not ask the sources whether they accept the credentials.")
    ] = False,
    notify: Annotated[
        bool,
        typer.Option("--notify", help="Also send a notification of what is broken, once until it changes."),
    ] = False,
) -> None:
    """Say what is missing or broken, and how to fix it. Exit code 0: all is well, 1: worth a look (!), 2: broken (✗)."""
    from mel_pipeline.cli.doctor import findings
    from mel_pipeline.cli.doctor.finding import Level

    worst, broken = 0, []
    for finding in findings(offline=offline):
        worst = max(worst, finding.level)
        typer.echo(finding.line)
        if finding.level is Level.BROKEN:
            broken.append(finding.line)
    if notify:
        _notify_broken(broken)
    if worst:
        raise typer.Exit(worst)


def _notify_broken(lines: list[str]) -> None:
    from mel_pipeline.core.settings import load_settings
    from mel_pipeline.delivery import notifications

    settings = load_settings()
    if not settings.notifies:
        return
    if lines or notifications.NotificationLog(settings.home).last(notifications.DOCTOR):
        notifications.notify_once(settings, notifications.DOCTOR, lines, notifications.broken(lines))
