"""SQL models as assets, one each, run by two steps: the shared tables, then the indicators of a quarter."""

from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Any, cast

import dagster as dg

from mel_pipeline.core.contracts import assets_of
from mel_pipeline.core.periods import Quarter
from mel_pipeline.core.settings import Settings
from mel_pipeline.defs.context import CALCULATE, COLLECT, PREPARE, Mel, as_list, quarter_partitions
from mel_pipeline.defs.ranges import TOGETHER, Made, made, naming, quarters_of, together
from mel_pipeline.transform import Model, SqlProject
from mel_pipeline.transform.catalogue import Catalogue, Indicator, catalogue_of
from mel_pipeline.transform.variables import sql_variables

if TYPE_CHECKING:
    from mel_pipeline.quality.results import Dimension, RuleResult
    from mel_pipeline.transform import ModelResult, TestResult

CHECK = "figures_are_sound"
EARLIER = "earlier_quarters"
MOST_TOLD = 200  # sentences of a check's metadata


def build(settings: Settings) -> dg.Definitions:
    project = SqlProject.load(settings.sql_dir, sql_variables(settings, settings.open_quarter))
    catalogue = catalogue_of(settings)
    indicators = {name for name, model in project.models.items() if model.config.unique_key == "quarter"}
    shared = set(project.models) - indicators
    partitions = quarter_partitions(settings)
    return dg.Definitions(
        assets=[
            _catalogue_asset(catalogue),
            _models_asset("prepare_tables", project, catalogue, shared, None),
            _models_asset("calculate_indicators", project, catalogue, indicators, partitions),
            _earlier_quarters(),
        ]
    )


def _catalogue_asset(catalogue: Catalogue) -> dg.AssetsDefinition:
    tables = [f"raw_catalogue__{name}" for name in catalogue.table_names]

    @dg.multi_asset(
        name="load_catalogue",
        specs=[
            dg.AssetSpec(
                table,
                group_name=COLLECT,
                kinds={"yaml", "table"},
                owners=["team:mel"],
                description="Definitions kept next to the SQL and in `mel_pipeline/organisations/`; no source is queried.",
            )
            for table in tables
        ],
    )
    def load(mel: Mel) -> Iterator[dg.MaterializeResult[None]]:
        from mel_pipeline.ingest.privacy.erasure import purge
        from mel_pipeline.ingest.raw_tables import load_catalogue_tables

        purge(mel.warehouse)  # what an erasure could not do, as a run had the warehouse open
        for table, rows in load_catalogue_tables(catalogue_of(mel.settings), mel.warehouse).items():
            yield dg.MaterializeResult(asset_key=table, metadata={"dagster/row_count": rows})

    return load


def _models_asset(
    step: str,
    project: SqlProject,
    catalogue: Catalogue,
    names: set[str],
    partitions: dg.PartitionsDefinition[str] | None,
) -> dg.AssetsDefinition:
    models = [model for model in project.order() if model.name in names]

    @dg.multi_asset(
        name=step,
        specs=[_spec(model, catalogue) for model in models],
        check_specs=[
            dg.AssetCheckSpec(
                CHECK,
                asset=model.name,
                blocking=True,
                description="Keys are unique, nothing required is missing, every value is a known one.",
                metadata={"dimension": "validity, integrity"},
            )
            for model in models
            if model.tests
        ]
        + [
            dg.AssetCheckSpec(
                name,
                asset=model.name,
                description=project.singular_tests[name].description,
                metadata={"dimension": project.singular_tests[name].dimension},
            )
            for model in models
            for name in _telling(project, model.name)
        ],
        partitions_def=partitions,
        backfill_policy=TOGETHER if partitions else None,
        can_subset=True,
    )
    def run(context: dg.AssetExecutionContext, mel: Mel) -> Iterator[Made | dg.AssetCheckResult]:
        quarters = quarters_of(context, mel.settings)
        if partitions is None:
            quarters = quarters[-1:]
        selected = {key.to_user_string() for key in context.selected_asset_keys}
        found: dict[str, dict[Quarter, ModelResult]] = {}
        for quarter in quarters:
            fresh = SqlProject.load(mel.settings.sql_dir, sql_variables(mel.settings, quarter))
            with naming(quarter, quarters):
                for result in _calculated(mel, fresh, selected, quarter, noted=partitions is not None):
                    found.setdefault(result.name, {})[quarter] = result
                    if quarter == quarters[-1]:
                        yield from _events(context, fresh, found[result.name], mel)
        failed = [
            (quarter, results[quarter])
            for quarter in quarters
            for results in found.values()
            if quarter in results and results[quarter].status != "ok"
        ]
        if failed:
            several = len(quarters) > 1
            words = [
                f"{f'{quarter} ' if several else ''}{result.name}: {result.message}"
                for quarter, result in failed
            ]
            raise dg.Failure(description=" ".join(words), allow_retries=False)

    return run


def _calculated(
    mel: Mel, project: SqlProject, selected: set[str], quarter: Quarter, *, noted: bool
) -> "Iterator[ModelResult]":
    """Run the models of one quarter; outcomes of their tests, and complete figures, are noted."""
    from mel_pipeline.core.clock import utc_now
    from mel_pipeline.publication.calculations import FIGURES, note_calculation
    from mel_pipeline.quality.results_log import note_results
    from mel_pipeline.transform.engines import runner_for

    begun = utc_now()
    results = []
    runner = runner_for(mel.warehouse, mel.settings)
    for result in runner.run(project, select=selected, variables=sql_variables(mel.settings, quarter)):
        results.append(result)
        yield result
    rules = [(result.name, _as_rule(test)) for result in results for test in result.tests]
    note_results(mel.warehouse, rules, quarter=str(quarter) if noted else None)
    if FIGURES in selected and all(result.status == "ok" for result in results):
        note_calculation(mel.warehouse, mel.settings.sql_dir, str(quarter), project.variables, begun)


def _events(
    context: dg.AssetExecutionContext, project: SqlProject, results: "Mapping[Quarter, ModelResult]", mel: Mel
) -> Iterator[Made | dg.AssetCheckResult]:
    """Check and materialization of a model; where it failed for some quarters, those of the others."""
    apart = _telling(project, next(iter(results.values())).name)
    tested = {quarter: _check(result, apart) for quarter, result in results.items() if result.tests}
    if tested:
        yield together(tested)
        for name in apart:
            yield _told(project, list(results.values())[-1], name, mel)
    each = {
        quarter: _metadata(project, result, mel, quarter)
        for quarter, result in results.items()
        if result.status == "ok"
    }
    name = next(iter(results.values())).name
    if len(each) == len(results):
        yield made(context, each, key=name)
        return
    for quarter, metadata in each.items():
        yield dg.AssetMaterialization(name, metadata=metadata, partition=str(quarter))


def _earlier_quarters() -> dg.AssetsDefinition:
    @dg.asset(
        name=EARLIER,
        deps=["indicator_values", "disclosure_people"],
        group_name=CALCULATE,
        kinds={"sql"},
        owners=["team:mel"],
        description="Past quarters affected by new data, such as a late answer or a corrected date. Their figures are"
        " recalculated; published ones stay, and differences go to the restatement ledger. Quarters whose figures would"
        " not change are skipped.\n\n*If it fails:* the previous figures stay; the message names the rule.",
    )
    def earlier_quarters(mel: Mel) -> dg.MaterializeResult[None]:
        from mel_pipeline.core.errors import ModelError
        from mel_pipeline.publication.recalculation import catch_up

        try:
            touched = catch_up(mel.warehouse, mel.settings)
        except ModelError as error:
            raise dg.Failure(description=str(error), allow_retries=False) from error
        return dg.MaterializeResult(
            metadata={"recalculated": ", ".join(map(str, touched)) or "none: not affected by new data"}
        )

    return earlier_quarters


def _as_rule(test: "TestResult") -> "RuleResult":
    from mel_pipeline.quality.results import RuleResult

    return RuleResult(test.name, cast("Dimension", test.dimension), test.severity, test.passed, test.sentence)


def _spec(model: Model, catalogue: Catalogue) -> dg.AssetSpec:
    indicator = catalogue.by_model(model.name)
    return dg.AssetSpec(
        model.name,
        deps=[
            *model.depends_on,
            *(asset for table in model.sources for asset in assets_of(table) or [table]),
        ],
        group_name=CALCULATE if model.config.unique_key == "quarter" else PREPARE,
        description=_indicator_text(indicator) if indicator else model.description,
        owners=[f"team:{indicator.owner_role.lower().replace(' ', '-')}"] if indicator else ["team:mel"],
        kinds={"sql", "table"},
        tags={"indicator": indicator.id} if indicator else {},
    )


def _indicator_text(indicator: Indicator) -> str:
    formula = indicator.formula.numerator
    if indicator.formula.denominator:
        formula = f"{formula} ÷ {indicator.formula.denominator}"
    return (
        f"{indicator.id} · {indicator.name.en}: {indicator.definition.en}\n\n"
        f"*Formula:* {formula}\n\n*Source:* {', '.join(indicator.source)}\n\n*If a check fails:* the previous"
        " figures stay; its message names the rule. Correct the rows at their source and run the quarter again."
    )


def _telling(project: SqlProject, model: str) -> list[str]:
    """Tests of a model whose rows are sentences: each is a check of its own."""
    return [name for name in project.models[model].singular_tests if project.singular_tests[name].tells]


def _told(project: SqlProject, result: "ModelResult", name: str, mel: Mel) -> dg.AssetCheckResult:
    """A check that says which rows break its rule, and why."""
    from mel_pipeline.reporting.text.days import days_in_words
    from mel_pipeline.reporting.text.texts import load_texts

    test = next(test for test in result.tests if test.name == name)
    sentences = []
    if not test.passed and result.status == "ok":
        rows = mel.warehouse.read(project.compile_test(name))
        texts = load_texts(mel.settings.report_sources, "en")
        sentences = [days_in_words(words, texts) for words in sorted(map(str, rows.iloc[:, 0]))]
    return dg.AssetCheckResult(
        check_name=name,
        asset_key=result.name,
        passed=test.passed,
        severity=dg.AssetCheckSeverity.ERROR if test.severity == "error" else dg.AssetCheckSeverity.WARN,
        description=as_list(sentences) or test.sentence,
        metadata={"all": dg.MetadataValue.md(as_list(sentences, most=MOST_TOLD))} if sentences else {},
    )


def _check(result: "ModelResult", apart: Collection[str] = ()) -> dg.AssetCheckResult:
    tests = [test for test in result.tests if test.name not in apart]
    broken = [test for test in tests if not test.passed]
    errors = [test for test in broken if test.severity == "error"]
    sentences = [test.sentence for test in broken] or [f"All {len(tests)} rules hold."]
    return dg.AssetCheckResult(
        check_name=CHECK,
        asset_key=result.name,
        passed=not broken,
        severity=dg.AssetCheckSeverity.ERROR if errors else dg.AssetCheckSeverity.WARN,
        description=" ".join(sentences),
        metadata={"rules": len(tests), "broken": len(broken)},
    )


def _metadata(project: SqlProject, result: "ModelResult", mel: Mel, quarter: Quarter) -> dict[str, Any]:
    metadata: dict[str, Any] = {"dagster/row_count": result.rows, "seconds": round(result.seconds, 3)}
    if result.is_unchanged:
        metadata["unchanged"] = "None of its inputs has changed."
    indicator = project.models[result.name].meta.get("indicator")
    if indicator and not indicator.get("disclosure"):
        metadata["preview"] = dg.MetadataValue.md(_preview(mel, result.name, quarter))
    return metadata


def _preview(mel: Mel, model: str, quarter: Quarter, limit: int = 12) -> str:
    """The first rows of a quarter's figures as a table. Indicators contain no personal data."""
    rows = mel.warehouse.read(
        f"select period, dimension, category, value, numerator, denominator, n, note from {model}"  # noqa: S608
        f" where quarter = :quarter order by grain, dimension <> 'total', dimension, category limit {limit}",
        {"quarter": str(quarter)},
    )
    which = rows["category"].where(rows["dimension"] != "total", "all together")
    shown = rows.drop(columns=["dimension", "category"])
    shown.insert(1, "of which", which)
    shown = shown.dropna(axis="columns", how="all")  # so that the other columns fit the width
    lines = ["| " + " | ".join(shown.columns) + " |", "|" + "---|" * len(shown.columns)]
    for row in shown.astype(object).where(shown.notna(), "").itertuples(index=False):
        cells = [
            f"{value:g}" if isinstance(value, float) and value.is_integer() else str(value) for value in row
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)
