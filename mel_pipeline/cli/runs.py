"""`mel run`, `mel report` and `mel recalculate`. The jobs are in defs."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from mel_pipeline.cli.periods import QuarterOption, period_of
from mel_pipeline.core.errors import MelError
from mel_pipeline.core.periods import Quarter

if TYPE_CHECKING:
    from mel_pipeline.core.settings import Settings
    from mel_pipeline.defs.serving.running import Jobs, Outcome, Stage

STAGES = {
    "0_look_here_first": "overview",
    "1_collect": "collect",
    "2_prepare": "prepare",
    "3_calculate": "calculate",
    "4_report": "report",
}


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
        from mel_pipeline.defs.year import FIGURES, runs_of_quarter, runs_of_year

        wanted = period_of(period or str(year))
        runs = (
            runs_of_quarter(settings, wanted)
            if isinstance(wanted, Quarter)
            else runs_of_year(settings, wanted)
        )
        warnings: dict[str, str] = {}

        reports = 0

        def on_begin(job: str, partition: str) -> None:
            nonlocal reports
            if job == FIGURES:
                typer.secho(f"Figures of {named(partition.split(TO))}", bold=True)
            elif (reports := reports + 1) == 1:
                typer.secho("Reports", bold=True)

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
    from mel_pipeline.defs.ranges import TO, named
    from mel_pipeline.delivery.notifications import grouped

    for problem in grouped(outcome.problems):
        typer.secho(f"  ✗ {problem}", fg="red", err=True)
    if not outcome.success:
        raise MelError(
            f"{named(partition.split(TO))}: the job {job} did not finish. What was published before is unaffected."
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
