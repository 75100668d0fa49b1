"""``mel publish``, ``mel restatements``, ``mel explain`` and ``mel rebuild``: publication at a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from mel_pipeline.cli.periods import quarter_of
from mel_pipeline.core.errors import PublicationError
from mel_pipeline.core.periods import Quarter

if TYPE_CHECKING:
    from mel_pipeline.core.settings import Settings
    from mel_pipeline.publication.provenance import Provenance
    from mel_pipeline.warehouse import Warehouse

SHOWN = 12


QuarterArgument = Annotated[Quarter, typer.Argument(parser=quarter_of, metavar="2024-Q4")]
RoleOption = Annotated[str, typer.Option("--role", help="Role that decides, never a person's name.")]
NoteOption = Annotated[str, typer.Option("--note", help="Note published with the decision.")]


def opened() -> tuple[Warehouse, Settings]:
    from mel_pipeline.core.settings import load_settings
    from mel_pipeline.warehouse import Warehouse
    from mel_pipeline.warehouse.migrating import upgraded

    settings = load_settings()
    return upgraded(Warehouse(settings.database_url, settings.lock_wait_seconds)), settings


def publish(
    quarter: QuarterArgument,
    role: RoleOption = "",
    note: NoteOption = "",
    without: Annotated[
        list[str] | None,
        typer.Option(
            "--without", metavar="SOURCE=REASON", help="A missing source the quarter can do without."
        ),
    ] = None,
    approve_only: Annotated[
        bool, typer.Option("--approve-only", help="Approve only; someone else publishes.")
    ] = False,
) -> None:
    """Freeze the figures of a quarter. Without role and note: show its state, or publish what is approved."""
    from mel_pipeline.core.logins import acting
    from mel_pipeline.publication.publishing import APPROVED, PUBLISHED, quarter_status
    from mel_pipeline.publication.release import release
    from mel_pipeline.reporting.inputs.publishing import approve_edition, keep_editions, publish_edition

    warehouse, settings = opened()
    by = acting(settings)
    if role or note:
        approve_edition(warehouse, settings, quarter, role, note, _reasons(without or []), by)
    here = quarter_status(warehouse, settings, quarter)
    if approve_only or not (role or here.state == APPROVED):
        if here.state == PUBLISHED:
            # Publishing may have been interrupted after the figures were frozen.
            release(warehouse, settings)
            keep_editions(warehouse, settings, quarter)
        typer.echo(here.sentence)
        return
    entry = publish_edition(warehouse, settings, quarter, by)
    typer.echo(
        f"{quarter} is published, version {entry.version}. Its figures, targets, judgements and texts no longer change."
    )
    typer.echo(
        f"Write the report again: `mel run --quarter {quarter}`, or the job quarterly_report, which asks no source."
    )


def _reasons(given: list[str]) -> dict[str, str]:
    pairs = [text.partition("=") for text in given]
    if wrong := [name for name, _, reason in pairs if not reason.strip()]:
        raise PublicationError(f"Reading --without {wrong[0]}: write it as SOURCE=REASON.")
    return {name.strip(): reason.strip() for name, _, reason in pairs}


def restatements(
    quarter: Annotated[
        Quarter | None, typer.Argument(parser=quarter_of, metavar="2024-Q4", help="All quarters by default.")
    ] = None,
) -> None:
    """List published figures that the current data no longer yield, with the reasons."""
    from mel_pipeline.publication.restatement import ledger_rows, sentence_of

    warehouse, _ = opened()
    rows = ledger_rows(warehouse, str(quarter) if quarter else None)
    for row in rows:
        typer.echo(f"{row['state']:<9} {sentence_of(row)}" + (f" {row['note']}" if row["note"] else ""))
    if not rows:
        typer.echo("Every published figure agrees with the data.")


def restate(
    quarter: QuarterArgument,
    indicator: Annotated[str, typer.Argument(metavar="MEM-02")],
    reason: Annotated[
        str, typer.Option(help="late_data, correction, definition_change or membership_change.")
    ],
    role: RoleOption,
    note: NoteOption,
) -> None:
    """State why published figures of an indicator changed, where the data do not show it."""
    from mel_pipeline.core.logins import acting
    from mel_pipeline.publication.restatement import state_reason

    warehouse, settings = opened()
    count = state_reason(warehouse, str(quarter), indicator, reason, role, note, acting(settings))
    typer.echo(f"{count} difference{'s have' if count != 1 else ' has'} this reason now.")


def rebuild(quarter: QuarterArgument) -> None:
    """Recalculate a published quarter from the stored raw data and compare byte for byte.

    Exit code 1 if it differs, except by what was erased on request: those differences are listed.
    """
    from mel_pipeline.publication.rebuild import rebuild as again

    warehouse, _ = opened()
    outcome = again(warehouse, str(quarter))
    for line in outcome.differing[:SHOWN]:
        typer.echo(f"  {line}")
    typer.echo(outcome.sentence)
    if not outcome.is_verified:
        raise typer.Exit(1)


def explain(
    indicator: Annotated[str, typer.Argument(metavar="MEM-02")],
    period: Annotated[
        str, typer.Argument(metavar="2024-Q4", help="A quarter or a year; of some flows a month.")
    ],
    sql: Annotated[bool, typer.Option("--sql", help="Print the SQL of the model as well.")] = False,
    against: Annotated[
        str,
        typer.Option(
            "--against", metavar="2024-Q3", help="Explain the difference from this period's figure."
        ),
    ] = "",
) -> None:
    """Explain where a figure comes from: definition, formula, lineage, checks, publication, contributing records."""
    from mel_pipeline.publication.provenance import explain as provenance

    warehouse, settings = opened()
    found = provenance(warehouse, settings, indicator.upper(), period)
    for line in _explained(found):
        typer.echo(line)
    if against:
        from mel_pipeline.publication.contributors import changed_by
        from mel_pipeline.publication.movement import explain_movement

        typer.secho(f"Against {against}", bold=True)
        lines = explain_movement(warehouse, indicator.upper(), against, period)
        for line in [*lines, *changed_by(warehouse, settings, indicator.upper(), against, period)]:
            typer.echo(f"  {line}")
    if sql:
        typer.secho("SQL", bold=True)
        typer.echo(found.sql)


def _explained(found: Provenance) -> list[str]:
    indicator = found.indicator
    formula = indicator.formula.numerator
    if indicator.formula.denominator:
        formula = f"{formula} ÷ {indicator.formula.denominator}"
    total = found.figures[0]
    lines = [
        typer.style(f"{indicator.id} {found.period}: {indicator.name.en}", bold=True),
        f"  figure       {_figure(total)}",
        f"  definition   {indicator.definition.en}",
        f"  formula      {formula}",
        f"  limitations  {indicator.limitations.en}",
        f"  SQL model    {found.model}",
        f"  calculated   {found.calculation.calculated_at:%Y-%m-%d %H:%M} UTC,"
        f" definitions {found.calculation.definitions[:12]}, program {found.calculation.code_version}",
    ]
    if found.publications:
        last = found.publications[-1]
        signed = last.details.get("by")
        who = f" (published by {signed['login']}, {signed['role']})" if signed else ""
        lines.append(
            f"  published    version {last.version} on {last.happened_at:%Y-%m-%d}, approved by {last.role}: {last.note}{who}"
        )
    else:
        lines.append("  published    not yet")
    if found.withheld:
        lines.append(
            f"  withheld     {found.withheld} of {len(found.figures)} cells, to protect small groups"
        )
    lines += [f"  restated     {sentence}" for sentence in found.restated]
    lines += [f"  stated       {sentence}" for sentence in found.statements]
    lines += [f"  earlier      {words}" for words in found.earlier]
    lines += [f"  months       {found.months}"] if found.months else []
    lines.append(typer.style("From", bold=True))
    for item in found.inputs:
        quarantined = f", {item.quarantined:,} quarantined" if item.quarantined else ""
        quarantined += (
            f", {item.cells:,} {'cell' if item.cells == 1 else 'cells'} left empty" if item.cells else ""
        )
        loads = ", ".join(item.load_ids[:2]) or "never loaded"
        lines.append(f"  {item.table}: {item.rows:,} rows{quarantined} ({loads})")
    lines.append(f"  via {' → '.join(found.models)}")
    broken = [check for check in found.checks if not check["passed"]]
    lines.append(typer.style("Checks", bold=True))
    lines.append(
        f"  {len(found.checks) - len(broken)} of {len(found.checks)} hold; {found.corrections} rows corrected"
    )
    lines += [f"  ! {check['sentence']} ({check['dimension']}, {check['asset']})" for check in broken]
    if found.records:
        lines.append(typer.style(f"Counted ({len(found.records)})", bold=True))
        lines.append(f"  {', '.join(found.records[:SHOWN])}{' ...' if len(found.records) > SHOWN else ''}")
    return lines


def _figure(row: dict[str, object]) -> str:
    if row["status"] == "suppressed":
        return "withheld to protect a small group"
    if row["value"] is None:
        return f"not available: {row['note']}"
    of = "" if row["denominator"] is None else f" ({row['numerator']:g} of {row['denominator']:g})"
    sure = "" if row["low"] is None else f", 95 % interval {row['low']:.2f} to {row['high']:.2f}"
    whole = "" if row["expected"] is None else f", {row['covered']:g} of {row['expected']:g} covered"
    return f"{row['value']:,.2f}".removesuffix(".00") + of + sure + whole


def register(app: typer.Typer) -> None:
    for command in (publish, restatements, restate, explain, rebuild):
        app.command()(command)
