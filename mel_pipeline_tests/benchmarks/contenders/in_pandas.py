"""pandas on frames read from the warehouse by DuckDB and written back by it."""

import clock
import duckdb
import numpy as np
import pandas as pd

QUARTER_KEYS = ["quarter", "platform"]


def work(task):
    with duckdb.connect(task["database"]) as database:
        tables = {}

        def read(sql):
            return database.execute(sql).df()

        tables["dim_city"] = cities(read)
        tables["dim_event"] = events(read)
        tables["fct_response"] = responses(read, tables)
        figures = metrics(read)
        tables["fct_post"] = posts(read, figures)
        tables["fct_account_month"] = account_months(figures)
        del figures
        for name, make in AGGREGATES.items():
            tables[name] = make(tables)
        for name, frame in tables.items():
            database.register("_frame", frame)
            database.execute(f"create or replace table {name} as select * from _frame")
            database.unregister("_frame")
        return dict(broken(test, tables) for test in task["tests"]) if task["with_tests"] else {}


def cities(read):
    names = read("select city_key, account_id from raw_identity__city_names where not _is_deleted")
    accounts = read("select id, name, member_type, region from raw_zoho_crm__accounts where not _is_deleted")
    accounts = accounts.rename(columns={"id": "account_id", "name": "account_name"})
    accounts["region"] = accounts["region"].fillna("Not stated")
    return names.merge(accounts, on="account_id")


def events(read):
    frame = read(
        "select id as event_id, code as event_code, event_type, status, starts_at from raw_zoho_crm__events where not _is_deleted"
    )
    frame["is_held"] = frame.pop("status") == "Held"
    frame["started_on"] = business_day(frame.pop("starts_at"))
    frame["quarter"] = quarter_of(frame["started_on"])
    return frame


def responses(read, tables):
    frame = read(
        "select tool, response_id, event_code, status, language, overall_satisfaction, satisfaction_key, gender_key,"
        " city_key, open_comment is not null as has_comment, gender_asked, recommendation, started_at"
        " from raw_surveys__responses where not _is_deleted"
    )
    labels = read(
        "select scale, label_key, score, code from raw_catalogue__scale_labels where not _is_deleted"
    )
    labels = labels.groupby(["scale", "label_key"], as_index=False)[["score", "code"]].min()
    event = tables["dim_event"].drop(columns=["is_held", "quarter"])
    frame = frame.merge(event, on="event_code", how="left")
    frame = frame.merge(tables["dim_city"][["city_key", "account_id", "region"]], on="city_key", how="left")
    scores = labels[labels["scale"] == "satisfaction"].set_index("label_key")["score"].dropna().astype(int)
    genders = labels[labels["scale"] == "gender"].set_index("label_key")["code"]
    answered_on = pd.to_datetime(frame.pop("started_at"), format="ISO8601").dt.normalize()
    occurred_on = frame.pop("started_on").fillna(answered_on)
    gender = frame["gender_key"].map(genders).astype(object)
    asked, given = frame.pop("gender_asked") == "true", frame.pop("gender_key").notna()
    gender = np.select(
        [~asked, ~given, gender.isna()], ["not_asked", "not_answered", "not_recognised"], default=gender
    )
    return pd.DataFrame(
        {
            "response_key": frame["tool"] + "|" + frame.pop("response_id"),
            "tool": frame.pop("tool"),
            "event_id": frame.pop("event_id"),
            "account_id": frame.pop("account_id"),
            "region": frame.pop("region").fillna("Not stated"),
            "event_type": frame.pop("event_type").fillna("Not known"),
            "language": frame.pop("language"),
            "status": frame.pop("status"),
            "is_answered": frame.pop("overall_satisfaction").notna(),
            "score": frame.pop("satisfaction_key").map(scores).astype("Int32"),
            "recommendation": pd.to_numeric(frame.pop("recommendation")).astype("Int32"),
            "gender": gender,
            "has_comment": frame.pop("has_comment"),
            "answered_on": answered_on,
            "occurred_on": occurred_on,
            "is_late": answered_on > occurred_on + pd.Timedelta(days=30),
            "quarter": quarter_of(occurred_on),
        }
    )


def metrics(read):
    frame = read(
        "select platform, account_id, content_id, metric, grain, period_start, value"
        " from raw_platforms__metrics where not _is_deleted"
    )
    kinds = read("select platform, metric, counts from raw_catalogue__metrics")
    frame = frame.merge(kinds, on=["platform", "metric"]).drop(columns="metric")
    frame["value"] = pd.to_numeric(frame["value"])
    return frame


def posts(read, figures):
    frame = read(
        "select platform, content_id, account_id, title, published_at from raw_platforms__contents where not _is_deleted"
    )
    frame["published_on"] = business_day(frame.pop("published_at"))
    frame["quarter"] = quarter_of(frame["published_on"])
    whole = figures[figures["grain"] == "lifetime"]
    key = ["platform", "content_id"]
    views = whole[whole["counts"] == "views"].groupby(key)["value"].max().rename("views")
    reach = whole[whole["counts"] == "reach"].groupby(key)["value"].max().rename("reach")
    deeds = (
        whole[whole["counts"] == "interactions"].groupby(key)["value"].sum(min_count=1).rename("interactions")
    )
    for column in (views, reach, deeds):
        frame = frame.merge(column.astype("Int64").reset_index(), on=key, how="left")
    frame.insert(0, "content_key", frame["platform"] + "|" + frame.pop("content_id"))
    return frame


def account_months(figures):
    daily = figures[figures["grain"] == "day"]
    month = pd.to_datetime(daily["period_start"], format="%Y-%m-%d").dt.to_period("M").dt.to_timestamp()
    grouped = daily.assign(month=month).groupby(["platform", "account_id", "counts", "month"])["value"]
    told = grouped.agg(value=lambda values: values.sum(min_count=1), days="count").reset_index()
    return told.astype({"value": "Int64"})


def satisfaction(tables):
    frame = tables["fct_response"]
    score = frame["score"]
    parts = pd.DataFrame(
        {
            "quarter": frame["quarter"],
            "region": frame["region"],
            "valid": score.notna(),
            "satisfied": (score >= 4).fillna(False),
            "total": score.fillna(0).astype("int64"),
        }
    )
    grouped = parts.groupby(["quarter", "region"])
    told = grouped[["valid", "satisfied", "total"]].sum().assign(responses=grouped.size()).reset_index()
    valid = told["valid"].where(told["valid"] > 0)
    told["satisfied_pct"] = 100.0 * told["satisfied"] / valid
    told["mean_score"] = told.pop("total") / valid
    return told


def recommendation(tables):
    frame = tables["fct_response"]
    given = frame["recommendation"]
    parts = pd.DataFrame(
        {
            "quarter": frame["quarter"],
            "language": frame["language"],
            "answers": given.notna(),
            "promoters": (given >= 9).fillna(False),
            "detractors": (given <= 6).fillna(False),
        }
    )
    told = parts.groupby(["quarter", "language"]).sum().reset_index()
    answers = told["answers"].where(told["answers"] > 0)
    told["net_promoter_score"] = 100.0 * (told["promoters"] - told["detractors"]) / answers
    return told


def gender(tables):
    frame = tables["fct_response"]
    frame = frame.loc[frame["gender"] != "not_asked", ["quarter", "event_type", "gender"]]
    told = frame.groupby(["quarter", "event_type", "gender"]).size().rename("responses").reset_index()
    told["share_pct"] = (
        100.0 * told["responses"] / told.groupby(["quarter", "event_type"])["responses"].transform("sum")
    )
    return told


def by_event(tables):
    frame = tables["fct_response"]
    score = frame["score"]
    parts = frame[["event_id", "account_id", "is_late", "answered_on"]].assign(
        score=score.astype("float64"), total=score.fillna(0).astype("int64"), valid=score.notna()
    )
    grouped = parts[parts["event_id"].notna()].groupby("event_id")
    told = grouped.agg(
        cities=("account_id", "nunique"), late=("is_late", "sum"), total=("total", "sum"), valid=("valid", "sum"),
        median_score=("score", "median"), first_on=("answered_on", "min"), last_on=("answered_on", "max"),
    ).assign(responses=grouped.size())  # fmt: skip
    told["mean_score"] = told.pop("total") / told["valid"].where(told["valid"] > 0)
    dimension = tables["dim_event"][["event_id", "event_type", "quarter"]]
    told = dimension.merge(told.drop(columns="valid").reset_index(), on="event_id", how="left")
    return told.fillna({"responses": 0, "cities": 0, "late": 0})


def by_platform(tables):
    grouped = tables["fct_post"].groupby(QUARTER_KEYS)
    told = grouped.agg(
        posts=("content_key", "size"), most_views=("views", "max"), median_views=("views", "median"), accounts=("account_id", "nunique"),
    )  # fmt: skip
    sums = grouped[["views", "interactions"]].sum(min_count=1)
    return told.join(sums).reset_index()


def best_posts(tables):
    frame = tables["fct_post"][[*QUARTER_KEYS, "content_key", "account_id", "views"]].dropna(subset=["views"])
    frame = frame.sort_values([*QUARTER_KEYS, "views", "content_key"], ascending=[True, True, False, True])
    place = frame.groupby(QUARTER_KEYS).cumcount() + 1
    return frame.assign(place=place)[place <= 10]


AGGREGATES = {
    "agg_satisfaction": satisfaction,
    "agg_recommendation": recommendation,
    "agg_gender": gender,
    "agg_event": by_event,
    "agg_reach": by_platform,
    "top_posts": best_posts,
}


def business_day(texts):
    return (
        pd.to_datetime(texts, utc=True, format="ISO8601")
        .dt.tz_convert("Europe/Madrid")
        .dt.tz_localize(None)
        .dt.normalize()
    )


def quarter_of(days):
    codes = days.dt.year * 10 + days.dt.quarter
    return codes.map({code: f"{code // 10:.0f}-Q{code % 10:.0f}" for code in codes.dropna().unique()})


def broken(test, tables):
    """Rows or values of one table that break a test; there are no staging tables here: their rows are in the facts."""
    name = f"{test['model']} {test['kind']} {test['column']}"
    frame = tables.get(test["model"])
    if frame is None:
        return name, 0
    column = frame[test["column"]]
    if test["kind"] == "not_null":
        return name, int(column.isna().sum())
    if test["kind"] == "unique":
        return name, int(column.dropna().duplicated().sum())
    allowed = test["values"] if test["kind"] == "accepted_values" else tables[test["parent"]][test["field"]]
    return name, int((column.notna() & ~column.isin(allowed)).sum())


clock.run(work)
