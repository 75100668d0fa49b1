"""Great Expectations as the pipeline uses it: rows of a load batch by batch, a table where it lies."""

import time

import clock
import duckdb

from mel_pipeline.core.contracts import contract_of
from mel_pipeline.quality import check_rows, check_table
from mel_pipeline.quality.expectations import context
from mel_pipeline.warehouse import Warehouse


def work(task):
    contract = contract_of("survey_files").entities["responses"]
    if task["what"] == "table":
        warehouse = Warehouse(f"duckdb:///{task['database']}")
        verdict = check_table(warehouse, task["table"], contract, {}, source="survey_files")
        return {"rules broken": verdict.counts["rules broken"]}
    bad, seconds = 0, 0.0
    with duckdb.connect(task["database"], read_only=True) as database:
        database.execute(task["query"])
        while len(frame := database.fetch_df_chunk(task["vectors"])):
            frame = frame.astype("str")
            begun = time.perf_counter()
            verdict = check_rows(frame, contract)
            seconds += time.perf_counter() - begun
            bad += len(frame) - len(verdict.good)
    return {"bad rows": bad, "_seconds": seconds}


context()  # its import takes seconds and happens once a process
clock.run(work)
