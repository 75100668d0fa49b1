"""pandera on frames, with the same rules; a table has to be read first."""

import re
import time

import clock
import duckdb
import pandas as pd
import pandera.pandas as pa


def between(low, high):
    return pa.Check(lambda column: pd.to_numeric(column, errors="coerce").between(low, high))


def schema_of(rules):
    columns = {}
    for column in dict.fromkeys(rule["column"] for rule in rules):
        mine = [rule for rule in rules if rule["column"] == column]
        checks = [pa.Check.isin(rule["values"]) for rule in mine if rule["rule"] == "allowed"]
        checks += [pa.Check.str_matches(re.compile(rule["form"])) for rule in mine if rule["rule"] == "form"]
        checks += [between(rule["low"], rule["high"]) for rule in mine if rule["rule"] == "range"]
        needed = any(rule["rule"] == "required" for rule in mine)
        unique = any(rule["rule"] == "unique" for rule in mine)
        columns[column] = pa.Column(None, checks, nullable=not needed, unique=unique)
    return pa.DataFrameSchema(columns)


def failures(schema, frame):
    try:
        schema.validate(frame, lazy=True)
    except pa.errors.SchemaErrors as error:
        return error.failure_cases
    return None


def work(task):
    schema = schema_of(task["rules"])
    with duckdb.connect(task["database"], read_only=True) as database:
        if task["what"] == "table":
            listed = ", ".join(dict.fromkeys(rule["column"] for rule in task["rules"]))
            frame = database.execute(f"select {listed} from {task['table']} where not _is_deleted").df()
            found = failures(schema, frame)
            return {"rules broken": 0 if found is None else len(found.groupby(["column", "check"]))}
        bad, seconds = 0, 0.0
        database.execute(task["query"])
        while len(frame := database.fetch_df_chunk(task["vectors"])):
            begun = time.perf_counter()
            found = failures(schema, frame)
            seconds += time.perf_counter() - begun
            bad += 0 if found is None else found["index"].nunique()
    return {"bad rows": bad, "_seconds": seconds}


clock.run(work)
