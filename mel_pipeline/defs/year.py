"""A whole year with one click: its figures, then its reports and the annual edition."""

import dagster as dg

from mel_pipeline.core.errors import ReportError
from mel_pipeline.core.periods import Quarter, quarters, quarters_of_year
from mel_pipeline.core.settings import Settings
from mel_pipeline.defs.context import DOES, FOR_OPERATORS, Mel, filled_form, year_partitions
from mel_pipeline.defs.ranges import TO, named

FIGURES, REPORT = "figures_only", "quarterly_report"  # together the same as the job nightly
FORM = {
    "year_before": dg.Field(
        bool,
        default_value=True,
        description="true: calculate the year before first, so that the reports can compare.",
    )
}


def runs_of_year(settings: Settings, year: int, *, year_before: bool = True) -> list[tuple[str, str]]:
    """Job and partition of every run of a year: the figures in one run about a range, then each report.

    The range, such as ``2023-Q1...2024-Q4``, begins with the year before. The annual edition follows four quarters.

    Raises:
        ReportError: no quarter of the year has begun, or data begin later.
    """
    first, last = Quarter.parse(settings.first_quarter), settings.open_quarter
    wanted = [quarter for quarter in quarters_of_year(year) if first <= quarter <= last]
    if not wanted:
        why = "the year has not begun" if year > last.year else f"data begin with {first}"
        raise ReportError(f"Creating the reports of {year}: {why}.")
    before = [quarter for quarter in quarters_of_year(year - 1) if quarter >= first] if year_before else []
    reports = [(REPORT, str(quarter)) for quarter in wanted]
    annual = [("annual_edition", str(year))] if len(wanted) == 4 else []
    return [_figures([*before, *wanted]), *reports, *annual]


def runs_of_quarter(settings: Settings, quarter: Quarter) -> list[tuple[str, str]]:
    """Job and partition of the runs of one quarter: its figures and what they are compared with, then the report.

    Raises:
        ReportError: the quarter has not begun, or data begin later.
    """
    first, last = Quarter.parse(settings.first_quarter), settings.open_quarter
    if not first <= quarter <= last:
        why = "the quarter has not begun" if quarter > last else f"data begin with {first}"
        raise ReportError(f"Creating the report of {quarter}: {why}.")
    return [_figures(list(quarters(max(first, quarter.year_before()), quarter))), (REPORT, str(quarter))]


def _figures(wanted: list[Quarter]) -> tuple[str, str]:
    return FIGURES, TO.join(str(quarter) for quarter in dict.fromkeys([wanted[0], wanted[-1]]))


def build(settings: Settings) -> dg.Definitions:
    years = year_partitions(settings)

    @dg.op(config_schema=FORM, description="The figures in one run, then each report as a run.")
    def run_year(context: dg.OpExecutionContext, mel: Mel) -> None:
        from mel_pipeline.defs.serving.history import keep_history_open
        from mel_pipeline.defs.serving.running import Jobs
        from mel_pipeline.defs.serving.years import run_all

        try:
            runs = runs_of_year(mel.settings, int(context.partition_key), **context.op_config)
        except ReportError as error:
            raise dg.Failure(description=str(error), allow_retries=False) from None
        # In this process: a queued run would wait for this one to end, and this one for it.
        jobs = Jobs(mel.settings, context.instance)
        part_of = {"mel/part_of": context.run_id}

        def begun(job: str, partition: str) -> None:
            context.log.info(f"{runs.index((job, partition)) + 1} of {len(runs)}: {job} {partition}")

        with keep_history_open(mel.settings.dagster_home):
            for ended in run_all(jobs, runs, begun, tags=part_of):
                if not ended.outcome.success:
                    what = f"{ended.job} of {named(ended.partition.split(TO))}"
                    raise dg.Failure(
                        description=f"{what} did not finish; the runs before it are done."
                        f" {' '.join(ended.outcome.problems)} Fix the cause and start the year again: nothing is"
                        " counted twice.",
                        allow_retries=False,
                    )

    @dg.job(
        name="backfill_year",
        tags={DOES: "a whole year", **FOR_OPERATORS},
        config=filled_form("run_year", FORM, years),
        description="A whole year: all its quarters collected, checked and calculated in one run, then a run for each"
        " report and the annual edition. Stops at the first that fails. Safe to repeat.",
    )
    def backfill_year() -> None:
        run_year()

    return dg.Definitions(jobs=[backfill_year])
