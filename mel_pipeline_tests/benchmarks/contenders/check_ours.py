"""Great Expectations as the pipeline uses it: in the database, on the staged rows of a load and on a table."""

import tempfile
import time
from datetime import datetime

import clock
import duckdb

from mel_pipeline.core.contracts import contract_of
from mel_pipeline.ingest.judging import judge_staged
from mel_pipeline.ingest.load import STAGED_ROWS
from mel_pipeline.ingest.staging import staged_frame
from mel_pipeline.quality import check_table, get_ready
from mel_pipeline.sources.shared.base import Batch
from mel_pipeline.warehouse import Warehouse, raw
from mel_pipeline.warehouse.migrating import ensure_tables

SOURCE = contract_of("survey_files")
NOW = datetime(2026, 1, 1)


def work(task):
    contract = SOURCE.entities["responses"]
    if task["what"] == "table":
        warehouse = Warehouse(f"duckdb:///{task['database']}")
        verdict = check_table(warehouse, task["table"], contract, {}, source="survey_files")
        return {"rules broken": verdict.counts["rules broken"]}
    load = SOURCE.asset("responses")
    with (
        tempfile.TemporaryDirectory() as folder,
        duckdb.connect(task["database"], read_only=True) as database,
    ):
        warehouse = Warehouse(f"duckdb:///{folder}/w.duckdb")
        database.execute(task["query"])
        with warehouse.transaction() as connection:
            ensure_tables(connection)
            while len(frame := database.fetch_df_chunk(STAGED_ROWS // 2048)):
                staged = staged_frame([Batch(frame.astype("str"))], contract, NOW, source="survey_files")
                raw.stage(connection, load, list(contract.columns), staged.entries)
            begun = time.perf_counter()
            judge_staged(connection, SOURCE, "responses", "load", NOW)
            seconds = time.perf_counter() - begun
        bad = warehouse.records("select count(distinct payload) as n from quarantine")[0]["n"]
    return {"bad rows": bad, "_seconds": seconds}


get_ready()  # importing it takes seconds, once per process
clock.run(work)
