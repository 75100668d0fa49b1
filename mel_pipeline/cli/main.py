"""The command ``mel``. The logic is in the other packages."""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from typing import Annotated

import typer

from mel_pipeline.cli.backup import backup, restore
from mel_pipeline.cli.cities import cities
from mel_pipeline.cli.connect import connect
from mel_pipeline.cli.delivery import register as register_delivery
from mel_pipeline.cli.factcheck import factcheck
from mel_pipeline.cli.init import init
from mel_pipeline.cli.narrative import narrative
from mel_pipeline.cli.packs import register as register_packs
from mel_pipeline.cli.periods import QuarterOption, quarter_of
from mel_pipeline.cli.privacy import app as privacy_commands
from mel_pipeline.cli.publication import register as register_publication
from mel_pipeline.cli.quality import app as quality_commands
from mel_pipeline.cli.runs import recalculate, report, run
from mel_pipeline.cli.serving import dev, doctor, sandbox
from mel_pipeline.cli.site import site
from mel_pipeline.cli.survey import app as survey_commands
from mel_pipeline.cli.upgrade import upgrade
from mel_pipeline.cli.warehouse import app as warehouse_commands
from mel_pipeline.cli.workbook import app as workbook_commands
from mel_pipeline.cli.zoho import app as zoho_commands
from mel_pipeline.core.disk_trouble import disk_trouble
from mel_pipeline.core.errors import MelError
from mel_pipeline.core.periods import Quarter
from mel_pipeline.core.private_files import be_private

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
for command in (
    init,
    connect,
    doctor,
    dev,
    sandbox,
    run,
    report,
    recalculate,
    site,
    narrative,
    cities,
    factcheck,
):
    app.command()(command)
for command in (backup, restore, upgrade):
    app.command()(command)
register_publication(app)
register_delivery(app)
register_packs(app)


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


@app.command()
def figures(
    year: Annotated[int, typer.Argument(help="Year of the figures, such as 2024.")],
    quarter: Annotated[
        Quarter | None,
        typer.Option(
            "--quarter", "-q", parser=quarter_of, metavar="2024-Q4", help="One quarter instead of the year."
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
