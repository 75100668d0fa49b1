"""One SQL pass in DuckDB that counts violations per rule, and rows that break any rule."""

import time

import clock
import duckdb


def quoted(text):
    return "'" + str(text).replace("'", "''") + "'"


def condition(rule):
    column = f'"{rule["column"]}"'
    if rule["rule"] == "required":
        return f"{column} is null"
    if rule["rule"] == "allowed":
        return f"{column} not in ({', '.join(map(quoted, rule['values']))})"
    if rule["rule"] == "form":
        return f"not regexp_matches({column}, {quoted(rule['form'])})"
    return f"not (try_cast({column} as double) between {rule['low']} and {rule['high']})"


def work(task):
    rules = [rule for rule in task["rules"] if rule["rule"] != "unique"]
    counted = ", ".join(f"count(*) filter ({condition(rule)})" for rule in rules)
    any_of = " or ".join(f"coalesce({condition(rule)}, false)" for rule in rules)
    with duckdb.connect(task["database"], read_only=True) as database:
        if task["what"] == "table":
            twice = "count(_row_key) - count(distinct _row_key)"
            query = f"select {counted}, {twice} from {task['table']} where not _is_deleted and source = 'survey_files'"
            return {"rules broken": sum(count > 0 for count in database.execute(query).fetchall()[0])}
        bad, seconds = 0, 0.0
        with duckdb.connect() as judge:
            database.execute(task["query"])
            while len(frame := database.fetch_df_chunk(task["vectors"])):
                begun = time.perf_counter()
                judge.register("_frame", frame)
                told = judge.execute(f"select {counted}, count(*) filter ({any_of}) from _frame").fetchall()[
                    0
                ]
                judge.unregister("_frame")
                seconds += time.perf_counter() - begun
                bad += told[-1]
    return {"bad rows": bad, "_seconds": seconds}


clock.run(work)
