"""Polars, lazy from Parquet to Parquet; each fact is written before it is read again, as in a hand-written script."""

from pathlib import Path

import clock
import polars as pl


def work(task):
    source, target = Path(task["parquet"]), Path(task["output"])

    def raw(table):
        return pl.scan_parquet(source / f"{table}.parquet")

    def made(table):
        return pl.scan_parquet(target / f"{table}.parquet")

    def keep(table, frame):
        frame.sink_parquet(target / f"{table}.parquet", compression="snappy", maintain_order=False)

    for table, make in FACTS.items():
        keep(table, make(raw, made))
    for table, make in AGGREGATES.items():
        keep(table, make(made))
    return dict(broken(test, made, raw) for test in task["tests"]) if task["with_tests"] else {}


def live(frame):
    return frame.filter(~pl.col("_is_deleted"))


def cities(raw, made):
    accounts = live(raw("raw_zoho_crm__accounts")).select(
        account_id="id", account_name="name", member_type="member_type", region=pl.col("region").fill_null("Not stated")
    )  # fmt: skip
    return (
        live(raw("raw_identity__city_names")).select("city_key", "account_id").join(accounts, on="account_id")
    )


def events(raw, made):
    return (
        live(raw("raw_zoho_crm__events"))
        .select(
            event_id="id", event_code="code", event_type="event_type", is_held=pl.col("status") == "Held", started_on=business_day("starts_at")
        )
        .with_columns(quarter=quarter_of("started_on"))
    )  # fmt: skip


def responses(raw, made):
    labels = (
        live(raw("raw_catalogue__scale_labels"))
        .group_by("scale", "label_key")
        .agg(pl.col("score").cast(pl.Int32).min(), pl.col("code").min())
    )
    scores = labels.filter(pl.col("scale") == "satisfaction").select(
        satisfaction_key="label_key", score="score"
    )
    genders = labels.filter(pl.col("scale") == "gender").select(gender_key="label_key", code="code")
    joined = (
        live(raw("raw_surveys__responses"))
        .join(made("dim_event").drop("is_held", "quarter"), on="event_code", how="left")
        .join(made("dim_city").select("city_key", "account_id", "region"), on="city_key", how="left")
        .join(scores, on="satisfaction_key", how="left")
        .join(genders, on="gender_key", how="left")
    )
    answered_on = pl.col("started_at").str.to_datetime("%Y-%m-%dT%H:%M:%S").dt.date()
    return joined.select(
        response_key=pl.col("tool") + "|" + pl.col("response_id"),
        tool="tool",
        event_id="event_id",
        account_id="account_id",
        region=pl.col("region").fill_null("Not stated"),
        event_type=pl.col("event_type").fill_null("Not known"),
        language="language",
        status="status",
        is_answered=pl.col("overall_satisfaction").is_not_null(),
        score="score",
        recommendation=pl.col("recommendation").cast(pl.Int32),
        gender=pl.when(pl.col("gender_asked").ne_missing("true"))
        .then(pl.lit("not_asked"))
        .when(pl.col("gender_key").is_null())
        .then(pl.lit("not_answered"))
        .otherwise(pl.col("code").fill_null("not_recognised")),
        has_comment=pl.col("open_comment").is_not_null(),
        answered_on=answered_on,
        occurred_on=pl.coalesce("started_on", answered_on),
    ).with_columns(
        is_late=pl.col("answered_on") > pl.col("occurred_on") + pl.duration(days=30),
        quarter=quarter_of("occurred_on"),
    )


def metrics(raw):
    kinds = raw("raw_catalogue__metrics").select("platform", "metric", "counts")
    return (
        live(raw("raw_platforms__metrics"))
        .with_columns(pl.col("value").cast(pl.Int64))
        .join(kinds, on=["platform", "metric"])
    )


def posts(raw, made):
    def value(counts):
        return pl.col("value").filter(pl.col("counts") == counts)

    figures = (
        metrics(raw)
        .filter(pl.col("grain") == "lifetime")
        .group_by("platform", "content_id")
        .agg(
            views=value("views").max(),
            reach=value("reach").max(),
            interactions=pl.when(value("interactions").count() > 0).then(value("interactions").sum()),
        )
    )
    return (
        live(raw("raw_platforms__contents"))
        .join(figures, on=["platform", "content_id"], how="left")
        .select(
            content_key=pl.col("platform") + "|" + pl.col("content_id"),
            platform="platform",
            account_id="account_id",
            title="title",
            published_on=business_day("published_at"),
            views="views",
            reach="reach",
            interactions="interactions",
        )
        .with_columns(quarter=quarter_of("published_on"))
    )


def account_months(raw, made):
    month = pl.col("period_start").str.to_date("%Y-%m-%d").dt.truncate("1mo").alias("month")
    return (
        metrics(raw)
        .filter(pl.col("grain") == "day")
        .group_by("platform", "account_id", "counts", month)
        .agg(value=total("value"), days=pl.col("value").count())
    )


def satisfaction(made):
    score = pl.col("score")
    return (
        made("fct_response")
        .group_by("quarter", "region")
        .agg(responses=pl.len(), valid=score.count(), satisfied=(score >= 4).sum(), total=score.cast(pl.Int64).sum())
        .with_columns(
            satisfied_pct=100.0 * pl.col("satisfied") / above_zero("valid"),
            mean_score=pl.col("total") / above_zero("valid"),
        )
        .drop("total")
    )  # fmt: skip


def recommendation(made):
    given = pl.col("recommendation")
    return (
        made("fct_response")
        .group_by("quarter", "language")
        .agg(answers=given.count(), promoters=(given >= 9).sum(), detractors=(given <= 6).sum())
        .with_columns(
            net_promoter_score=100.0
            * (pl.col("promoters").cast(pl.Int64) - pl.col("detractors").cast(pl.Int64))
            / above_zero("answers")
        )
    )


def gender(made):
    return (
        made("fct_response")
        .filter(pl.col("gender") != "not_asked")
        .group_by("quarter", "event_type", "gender")
        .agg(responses=pl.len())
        .with_columns(
            share_pct=100.0 * pl.col("responses") / pl.col("responses").sum().over("quarter", "event_type")
        )
    )


def by_event(made):
    told = (
        made("fct_response")
        .filter(pl.col("event_id").is_not_null())
        .group_by("event_id")
        .agg(
            responses=pl.len(),
            cities=pl.col("account_id").drop_nulls().n_unique(),
            late=pl.col("is_late").sum(),
            total=pl.col("score").cast(pl.Int64).sum(),
            valid=pl.col("score").count(),
            median_score=pl.col("score").median(),
            first_on=pl.col("answered_on").min(),
            last_on=pl.col("answered_on").max(),
        )
        .with_columns(mean_score=pl.col("total") / above_zero("valid"))
        .drop("total", "valid")
    )
    return (
        made("dim_event")
        .select("event_id", "event_type", "quarter")
        .join(told, on="event_id", how="left")
        .with_columns(pl.col("responses", "cities", "late").fill_null(0))
    )


def by_platform(made):
    return (
        made("fct_post")
        .group_by("quarter", "platform")
        .agg(
            posts=pl.len(),
            views=total("views"),
            interactions=total("interactions"),
            most_views=pl.col("views").max(),
            median_views=pl.col("views").median(),
            accounts=pl.col("account_id").n_unique(),
        )
    )


def best_posts(made):
    place = (
        pl.int_range(1, pl.len() + 1)
        .over("quarter", "platform", order_by=[-pl.col("views"), "content_key"])
        .alias("place")
    )
    return (
        made("fct_post")
        .filter(pl.col("views").is_not_null())
        .select("quarter", "platform", "content_key", "account_id", "views", place)
        .filter(pl.col("place") <= 10)
    )


FACTS = {
    "dim_city": cities,
    "dim_event": events,
    "fct_response": responses,
    "fct_post": posts,
    "fct_account_month": account_months,
}
AGGREGATES = {
    "agg_satisfaction": satisfaction,
    "agg_recommendation": recommendation,
    "agg_gender": gender,
    "agg_event": by_event,
    "agg_reach": by_platform,
    "top_posts": best_posts,
}


def business_day(column):
    return (
        pl.col(column)
        .str.to_datetime("%Y-%m-%dT%H:%M:%S%z", time_zone="UTC")
        .dt.convert_time_zone("Europe/Madrid")
        .dt.date()
    )


def quarter_of(column):
    day = pl.col(column).dt
    return day.year().cast(pl.String) + "-Q" + day.quarter().cast(pl.String)


def total(column):
    """A sum that is null if every value is null."""
    return pl.when(pl.col(column).count() > 0).then(pl.col(column).sum())


def above_zero(column):
    return pl.when(pl.col(column) > 0).then(pl.col(column))


def broken(test, made, raw):
    """Rows or values that break a test; there are no staging tables here: their rows are in the facts."""
    name = f"{test['model']} {test['kind']} {test['column']}"
    if test["model"].startswith("stg_"):
        return name, 0
    frame, column = made(test["model"]), pl.col(test["column"])
    if test["kind"] == "not_null":
        found = frame.select(column.is_null().sum())
    elif test["kind"] == "unique":
        found = frame.select(column.drop_nulls().len() - column.drop_nulls().n_unique())
    elif test["kind"] == "accepted_values":
        found = frame.filter(column.is_not_null() & ~column.is_in(test["values"])).select(pl.len())
    else:
        parent = made(test["parent"]).select(pl.col(test["field"]).alias(test["column"]))
        known = frame.filter(column.is_not_null()).select(test["column"])
        found = known.join(parent, on=test["column"], how="anti").select(pl.len())
    return name, int(found.collect().item())


clock.run(work)
