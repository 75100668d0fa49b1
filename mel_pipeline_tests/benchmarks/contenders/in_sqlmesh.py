"""SQLMesh with the same SELECTs as native models and audits, planned and applied once."""

import os
import re
from pathlib import Path

os.environ["SQLMESH__DISABLE_ANONYMIZED_ANALYTICS"] = "true"
os.environ["MAX_FORK_WORKERS"] = "1"  # load models in this process, so that the peak includes it

import clock
from sqlmesh import Context
from sqlmesh.core.config import Config, DuckDBConnectionConfig, GatewayConfig, ModelDefaultsConfig


def project_in(task):
    folder = Path(task["output"]) / "project"
    (folder / "models").mkdir(parents=True)
    names = "|".join(model["name"] for model in task["models"])
    for model in task["models"]:
        sql = re.sub(rf"\b(from|join) ({names})\b", r"\1 main.\2", model["sql"])  # SQLMesh needs the schema
        kind = "VIEW" if model["materialized"] == "view" else "FULL"
        audits = [audit(test) for test in task["tests"] if test["model"] == model["name"]]
        listed = f",\n  audits ({', '.join(audits)})" if audits and task["with_tests"] else ""
        (folder / "models" / f"{model['name']}.sql").write_text(
            f"MODEL (name main.{model['name']}, kind {kind}{listed});\n{sql}\n", encoding="utf-8"
        )
    (folder / "audits").mkdir()
    (folder / "audits" / "related.sql").write_text(
        "AUDIT (name related);\nselect c.* from @this_model as c where c.@child is not null"
        " and not exists (select 1 from @parent as p where p.@field = c.@child);\n",
        encoding="utf-8",
    )
    return folder


def audit(test):
    column = test["column"]
    if test["kind"] == "unique":
        return f"unique_values(columns := ({column}))"
    if test["kind"] == "not_null":
        return f"not_null(columns := ({column}))"
    if test["kind"] == "accepted_values":
        values = ", ".join(f"'{value}'" for value in test["values"])
        return f"accepted_values(column := {column}, is_in := ({values}))"
    return f"related(child := {column}, parent := main.{test['parent']}, field := {test['field']})"


def work(task):
    connection = DuckDBConnectionConfig(database=task["database"])
    config = Config(
        gateways={"duck": GatewayConfig(connection=connection)},
        default_gateway="duck",
        model_defaults=ModelDefaultsConfig(dialect="duckdb", start="2024-01-01"),
    )
    context = Context(paths=str(project_in(task)), config=config)
    context.plan(auto_apply=True, no_prompts=True, no_diff=True)  # raises if an audit fails
    context.close()
    return (
        dict.fromkeys((f"{test['model']} {test['kind']} {test['column']}" for test in task["tests"]), 0)
        if task["with_tests"]
        else {}
    )


clock.run(work)
