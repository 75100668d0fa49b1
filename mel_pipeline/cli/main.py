"""The command ``mel``. The logic is in the other packages."""

from __future__ import annotations

import json
import os
import sys
import time
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from mel_pipeline.cli.backup import backup, restore
from mel_pipeline.cli.cities import cities
from mel_pipeline.cli.connect import connect
from mel_pipeline.cli.delivery import register as register_delivery
from mel_pipeline.cli.factcheck import factcheck
from mel_pipeline.cli.init import init
from mel_pipeline.cli.narrative import narrative
from mel_pipeline.cli.packs import register as register_packs
from mel_pipeline.cli.privacy import app as privacy_commands
from mel_pipeline.cli.publication import register as register_publication
from mel_pipeline.cli.quality import app as quality_commands
from mel_pipeline.cli.site import site
from mel_pipeline.cli.survey import app as survey_commands
from mel_pipeline.cli.upgrade import upgrade
from mel_pipeline.cli.warehouse import app as warehouse_commands
from mel_pipeline.cli.workbook import app as workbook_commands
from mel_pipeline.cli.zoho import app as zoho_commands
from mel_pipeline.core.disk_trouble import disk_trouble
from mel_pipeline.core.errors import MelError
from mel_pipeline.core.periods import Quarter, parse_period
from mel_pipeline.core.private_files import be_private

if TYPE_CHECKING:
    from mel_pipeline.core.settings import Settings
    from mel_pipeline.defs.serving.running import Jobs, Outcome, Stage

app = typer.Typer(
    help="MEL figures and reports: collect, check, calculate, draw. Start with `mel doctor`.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)
app.add_typer(zoho_commands, name="zoho")
app.add_typer(warehouse_commands, name="warehouse")
app.add_typer(survey_commands, name="survey")
app.add_typer(workbook_commands, name="workbook")
app.add_typer(quality_commands, name="quality")
app.add_typer(privacy_commands, name="privacy")
app.command()(init)
app.command()(connect)
app.command()(backup)
app.command()(restore)
app.command()(upgrade)
app.command()(cities)
app.command()(narrative)
app.command()(factcheck)
app.command()(site)
register_publication(app)
register_delivery(app)
register_packs(app)
STAGES = {
    "0_look_here_first": "overview",
    "1_collect": "collect",
    "2_prepare": "prepare",
    "3_calculate": "calculate",
    "4_report": "report",
}


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"mel {version('mel-pipeline')}")
        raise typer.Exit


@app.callback()
def common(
    _: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit."),
    ] = False,
) -> None:
    """MEL figures and reports: collect, check, calculate, draw. Start with `mel doctor`."""


class Form(StrEnum):
    table = "table"
    csv = "csv"
    json = "json"


def _quarter(text: str) -> Quarter:
    try:
        return Quarter.parse(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def _period(text: str) -> Quarter | int:
    try:
        found = parse_period(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    return Quarter.parse(found) if "-" in found else int(found)


QuarterOption = Annotated[
    Quarter, typer.Option("--quarter", "-q", parser=_quarter, metavar="2024-Q4", help="Quarter to work on.")
]


@app.command()
def run(quarter: QuarterOption) -> None:
    """Run the nightly job for one quarter: collect, check, calculate, draw, write the report."""
    from mel_pipeline.core.settings import load_settings
    from mel_pipeline.defs.serving.sample import sample_sources

    with sample_sources(load_settings(), while_starting=_load_dagster) as settings:
        from mel_pipeline.defs.serving.running import jobs

        with jobs(settings) as runner:
            warnings = _run_job(runner, "nightly", str(quarter))
        _print_warnings(warnings)
        _print_location(settings, str(quarter))


@app.command()
def report(
    period: Annotated[str, typer.Argument(help="2024-Q2 for one quarter, 2024 for a whole year.")] = "",
    year: Annotated[
        int, typer.Option("--year", "-y", help="Year whose quarters and annual edition are written.")
    ] = 2024,
) -> None:
    """Write the report of a quarter, or every report of a year and its annual edition.

    Calculates the figures of the year before first, so that the reports can compare.
    """
    from mel_pipeline.core.settings import load_settings
    from mel_pipeline.defs.serving.sample import sample_sources

    begun = time.perf_counter()
    with sample_sources(load_settings(), while_starting=_load_dagster) as settings:
        from mel_pipeline.defs.ranges import TO, named
        from mel_pipeline.defs.serving.running import jobs
        from mel_pipeline.defs.serving.years import run_all
        from mel_pipeline.defs.year import runs_of_quarter, runs_of_year

        wanted = _period(period or str(year))
        runs = (
            runs_of_quarter(settings, wanted)
            if isinstance(wanted, Quarter)
            else runs_of_year(settings, wanted)
        )
        warnings: dict[str, str] = {}

        def on_begin(job: str, partition: str) -> None:
            comparing = " to compare with" if job == "figures_only" else ""
            typer.secho(f"{named(partition.split(TO))}{comparing}", bold=True)

        def on_stage(partition: str, stage: Stage) -> None:
            _say_stage(stage, f"of {partition}" if stage.name == "4_report" else "")

        with jobs(settings) as runner:
            for ended in run_all(runner, runs, on_begin, on_stage):
                warnings |= _say_problems(ended.outcome, ended.job, ended.partition)
        _print_warnings(warnings)
        typer.echo(f"\nDone in {time.perf_counter() - begun:.0f} seconds.")
        _print_location(settings, runs[-1][1])


def _load_dagster() -> None:
    """Takes as long as the sample needs to start."""
    import mel_pipeline.defs.serving.years  # noqa: F401


@app.command()
def recalculate() -> None:
    """Recalculate every quarter from the data already collected, after an upgrade that changed a model."""
    from mel_pipeline.core.settings import load_settings
    from mel_pipeline.publication.recalculation import recalculate as again
    from mel_pipeline.warehouse import Warehouse

    settings = load_settings()
    done = 0
    for quarter in again(Warehouse(settings.database_url, settings.lock_wait_seconds), settings):
        typer.echo(f"  ✓ {quarter}")
        done += 1
    typer.echo(f"{done} quarters recalculated." if done else "Nothing has been calculated yet.")


@app.command()
def figures(
    year: Annotated[int, typer.Argument(help="Year of the figures, such as 2024.")],
    quarter: Annotated[
        Quarter | None,
        typer.Option(
            "--quarter", "-q", parser=_quarter, metavar="2024-Q4", help="One quarter instead of the year."
        ),
    ] = None,
    form: Annotated[Form, typer.Option("--format", "-f", help="Output format.")] = Form.table,
) -> None:
    """Print the figures of a year or a quarter, with numerator, denominator and n."""
    from mel_pipeline.core.settings import load_settings
    from mel_pipeline.reporting.inputs.editions import read_figures
    from mel_pipeline.warehouse import Warehouse

    settings = load_settings()
    period = str(quarter) if quarter else str(year)
    frame = read_figures(Warehouse(settings.database_url, settings.lock_wait_seconds), period)
    if form is Form.csv:
        typer.echo(frame.to_csv(index=False), nl=False)
    elif form is Form.json:
        typer.echo(frame.to_json(orient="records", indent=2, force_ascii=False))
    else:
        typer.echo(
            frame.to_string(
                index=False, na_rep="–", float_format=lambda value: f"{value:,.2f}".removesuffix(".00")
            )
        )


@app.command()
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


@app.command()
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
            os.environ["MEL_UI_URL"] = f"http://127.0.0.1:{port}"
        address = settings.public_url or f"http://127.0.0.1:{port}"
        starting = Starting(port, address, typer.echo)
        serve_ui(settings, port, parts, read_only=read_only, starting=starting)


@app.command()
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


@app.command("sql-vars")
def sql_vars(quarter: QuarterOption) -> None:
    """Print the variables real dbt needs to build `dbt_like_sql/`: `dbt build --vars "$(mel sql-vars -q 2024-Q4)"`."""
    from mel_pipeline.core.settings import load_settings
    from mel_pipeline.transform import SqlProject
    from mel_pipeline.transform.variables import sql_variables

    settings = load_settings()
    project = SqlProject.load(settings.sql_dir, sql_variables(settings, quarter))
    typer.echo(json.dumps(project.variables, default=str))


@app.command()
def indicators() -> None:
    """Print the reference sheets of all indicators as Markdown (docs/indicators.md)."""
    from mel_pipeline.core.settings import load_settings
    from mel_pipeline.transform.catalogue import catalogue_of
    from mel_pipeline.transform.catalogue.reference import reference_sheets

    typer.echo(reference_sheets(catalogue_of(load_settings())), nl=False)


def _run_job(runner: Jobs, job: str, partition: str) -> dict[str, str]:
    """Run one job with a line a stage; warnings by asset."""
    typer.secho(partition, bold=True)
    return _say_problems(runner.run(job, partition, _say_stage), job, partition)


def _say_stage(stage: Stage, of: str = "") -> None:
    mark = "✗" if stage.failed else "✓"
    steps = f"{stage.steps} step{'s' if stage.steps > 1 else ''}"
    typer.echo(
        f"  {mark} {STAGES.get(stage.name, stage.name):<10} {stage.seconds:6.1f} s   {steps} {of}".rstrip()
    )


def _say_problems(outcome: Outcome, job: str, partition: str) -> dict[str, str]:
    """What is wrong is said at the end, and a failure ends the command.

    Returns:
        Warnings by asset, so that one repeated in every quarter is printed once.
    """
    from mel_pipeline.delivery.notifications import grouped

    for problem in grouped(outcome.problems):
        typer.secho(f"  ✗ {problem}", fg="red", err=True)
    if not outcome.success:
        raise MelError(
            f"{partition}: the job {job} did not finish. What was published before is unaffected."
            " Fix the above and run it again."
        )
    return outcome.warnings


def _print_warnings(warnings: dict[str, str]) -> None:
    if warnings:
        typer.secho("Worth a look", bold=True)
    for asset, words in sorted(warnings.items()):
        typer.echo(f"  ! {asset}: {_shortened(words)}")


def _shortened(text: str, lines: int = 3) -> str:
    parts = [line for line in text.splitlines() if line]
    more = f"\n    ... and {len(parts) - lines} more lines in the Dagster UI" if len(parts) > lines else ""
    return "\n    ".join(parts[:lines]) + more


def _print_location(settings: Settings, period: str) -> None:
    for what, folder in (("Report", settings.published_dir), ("Draft for the MEL lead", settings.drafts_dir)):
        for page in sorted((folder / period).glob("*.html")):
            typer.echo(f"{what}: {page}")


def main() -> None:
    """Entry point: errors a user can fix are printed in one line, without a traceback."""
    code = 0
    be_private()
    try:
        app()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(bool(end.code))
    except MelError as error:
        typer.secho(f"Error: {error}", fg="red", err=True)
        code = 1
    except Exception as error:
        sentence = disk_trouble(error)
        if sentence is None:
            raise
        typer.secho(f"Error: {sentence}", fg="red", err=True)
        code = 1
    sys.exit(code)
