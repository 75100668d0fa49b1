"""The content of the workbook's sheets: numbers as numbers, everything else in words. Knows nothing of files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mel_pipeline.core.periods import previous_period, year_before
from mel_pipeline.reporting.figures.judgement import standing, status_of
from mel_pipeline.reporting.figures.lookup import NOT_AVAILABLE, SUPPRESSED, Figures, Reading
from mel_pipeline.reporting.figures.measures import Measure, measures, missing, words
from mel_pipeline.reporting.figures.released import TOTAL, progress, released
from mel_pipeline.reporting.page.restatement_notes import HELD, footnotes, publication_label
from mel_pipeline.reporting.workbook.cells import Cell, Day, Number, Sheet, Words

if TYPE_CHECKING:
    from mel_pipeline.reporting.edition import Edition
    from mel_pipeline.reporting.text.texts import Texts


def workbook_sheets(edition: Edition, texts: Texts) -> list[Sheet]:
    """Cover, contents and every table, in the order of the workbook."""
    known = measures(edition, texts.language)
    words_of = Words(texts)
    tables = [
        _figures(edition, known, words_of),
        _all_figures(edition, words_of),
        _definitions(edition, known, words_of),
        _sources(edition, words_of),
        _quality(edition, words_of),
        _restatements(edition, known, words_of),
        _notes(edition, words_of),
    ]
    return [_cover(edition, words_of), _contents(tables, words_of), *tables]


def _figures(edition: Edition, known: list[Measure], w: Words) -> Sheet:
    """The performance tracking table of the period."""
    figures, year = Figures(edition, known), edition.grain == "year"
    restated = footnotes(edition.restatements, {measure.id: measure for measure in known}, w.t)
    rows = [
        _figure_row(measure, figures, w, year=year, note=restated.get(measure.id, ""))
        for measure in known
        if not measure.is_distribution  # its parts are among the breakdowns
    ]
    columns = w.columns(
        *("formats.id", "table.indicator", "page.unit", "formats.lines", "page.actual"),
        *("formats.numerator", "formats.denominator", "table.base", "formats.low", "formats.high"),
        *("page.previous_year" if year else "page.previous",),
        *(() if year else ("page.year_before",)),
        *("page.baseline", "formats.baseline_period", "page.target", "formats.target_period"),
        *("formats.expected", "formats.progress", "page.status", "table.note"),
    )
    return Sheet("figures", w.sheet("figures"), columns, rows, frozen=2)


def _figure_row(measure: Measure, figures: Figures, w: Words, *, year: bool, note: str) -> list[Cell]:
    period = figures.period
    now = figures.total(measure.id, period) or Reading(NOT_AVAILABLE)
    judged = standing(measure, figures)
    target = judged.target
    earlier = [previous_period(period)] if year else [previous_period(period), year_before(period)]
    no_target, no_baseline = w.t("page.no_target"), w.t("page.no_baseline")
    return [
        measure.id,
        measure.name,
        w.t.unit(measure),
        ", ".join(measure.lines) or w.t("page.across"),
        w.figure(measure, now),
        *(w.part(now, value) for value in (now.numerator, now.denominator, now.n)),
        *w.bounds(measure, now),
        *(w.figure(measure, figures.total(measure.id, then)) for then in earlier),
        no_baseline if measure.baseline_value is None else w.value(measure, measure.baseline_value),
        w.t.period(measure.baseline_period) if measure.baseline_period else no_baseline,
        no_target if target is None else w.value(measure, target.value),
        no_target if target is None else w.t.period(target.period),
        w.not_applicable if judged.expected is None else w.value(measure, judged.expected),
        _progress(now, progress(measure, now, target), w),
        status_of(judged, w.t).word,
        ". ".join(filter(None, [w.t.say(now.note) if now.status != SUPPRESSED else "", note])),
    ]


def _progress(now: Reading, share: float | None, w: Words) -> Cell:
    if share is not None:
        return Number(share, "0%")
    return w.gap(now) if now.value is None else w.not_applicable


def _all_figures(edition: Edition, w: Words) -> Sheet:
    rows: list[list[Cell]] = []
    for one in released(edition, w.t.language):
        reading = one.reading
        rows.append(
            [
                one.measure.id,
                one.measure.name,
                w.t.period(one.period),
                w.t("table.total") if one.dimension == TOTAL else w.t.named("dimension", one.dimension),
                _category(one.dimension, one.category, w.t),
                w.figure(one.measure, reading),
                *(w.part(reading, value) for value in (reading.numerator, reading.denominator, reading.n)),
                *w.bounds(one.measure, reading),
                w.t.unit(one.measure),
                w.t("page.provisional")
                if one.version is None
                else w.t("formats.published_version", version=one.version),
                "" if reading.status == SUPPRESSED else w.t.say(reading.note),
            ]
        )
    columns = w.columns(
        *("formats.id", "table.indicator", "formats.period", "formats.dimension", "formats.category"),
        *(
            "table.value",
            "formats.numerator",
            "formats.denominator",
            "table.base",
            "formats.low",
            "formats.high",
        ),
        *("page.unit", "formats.standing", "table.note"),
    )
    return Sheet("all_figures", w.sheet("all_figures"), columns, rows, frozen=2)


def _category(dimension: str, category: str, texts: Texts) -> str:
    if dimension == TOTAL:
        return texts("table.total")
    return texts.category(dimension, category)


def _definitions(edition: Edition, known: list[Measure], w: Words) -> Sheet:
    rows: list[list[Cell]] = [
        [
            measure.id,
            measure.name,
            measure.definition,
            w.t.unit(measure),
            w.t.say(measure.numerator_text) or w.not_applicable,
            w.t.say(measure.denominator_text) or w.not_applicable,
            w.t.choice("rule", measure.aggregation),
            w.t.choice("formats.direction", measure.direction),
            w.t.say(measure.source),
            w.t.named("frequency", measure.frequency),
            w.t.say(measure.owner_role),
            w.t.choice("level", measure.level),
            measure.rationale,
            w.t.choice("collection", measure.collection),
            w.t.day(measure.assessed_on) if measure.assessed_on else w.t("page.not_assessed"),
            w.t.say(measure.baseline_note),
            measure.limitations,
            "\n".join(map(w.t.say, edition.origins.get(measure.id, []))),
        ]
        for measure in known
    ]
    columns = w.columns(
        *("formats.id", "table.indicator", "page.definition", "page.unit", "formats.numerator"),
        *("formats.denominator", "page.aggregation", "formats.good", "page.source", "page.frequency"),
        *("page.owner", "page.level", "page.rationale", "page.collection", "page.assessed"),
        *("formats.baseline_note", "page.limitations", "page.origin"),
    )
    return Sheet("definitions", w.sheet("definitions"), columns, rows, frozen=2)


def _sources(edition: Edition, w: Words) -> Sheet:
    rows: list[list[Cell]] = [
        [
            w.t.say(line["title"]),
            *(_count(line[name], w) for name in ("rows", "aside", "corrected", "late")),
            w.t.say(line["status"]),
        ]
        for line in edition.card
    ]
    columns = w.columns(
        *("page.quality_source", "page.rows_in", "page.rows_aside", "page.rows_corrected"),
        *("page.rows_late", "page.quality_status"),
    )
    return _or_sentence(Sheet("sources", w.sheet("sources"), columns, rows, frozen=1), w.t("formats.no_rows"))


def _count(number: int | None, w: Words) -> Cell:
    """A number of rows; None where they are about too few people."""
    return w.t.choice("status", SUPPRESSED) if number is None or missing(number) else Number(number)


def _quality(edition: Edition, w: Words) -> Sheet:
    rows: list[list[Cell]] = [
        [
            w.t.say(words(row["source_title"])),
            w.t.say(words(row["entity_title"])),
            *(_count(row[name], w) for name in ("rows_read", "rows_stored", "rows_quarantined")),
            w.t.say(words(row["status_sentence"])),
            w.t("page.never") if missing(row["last_changed_on"]) else Day(row["last_changed_on"]),
        ]
        for row in edition.quality.to_dict("records")
    ]
    columns = w.columns(
        *("page.quality_source", "page.quality_entity", "page.rows_read", "page.rows_stored"),
        *("page.rows_aside", "page.quality_status", "page.changed_on"),
    )
    return _or_sentence(Sheet("quality", w.sheet("quality"), columns, rows, frozen=2), w.t("formats.no_rows"))


def _restatements(edition: Edition, known: list[Measure], w: Words) -> Sheet:
    by_id = {measure.id: measure for measure in known}
    rows: list[list[Cell]] = []
    for row in edition.restatements:
        measure = by_id.get(row["indicator_id"])
        dimension, _, category = row["disaggregation"].partition("=")
        hidden = w.t.choice("status", SUPPRESSED) if row["state"] == HELD else ""
        rows.append(
            [
                row["indicator_id"],
                measure.name if measure else w.t("formats.no_longer_defined"),
                w.t("table.total") if dimension == TOTAL else w.t.named("dimension", dimension),
                _category(dimension, category, w.t),
                *(hidden or w.value(measure, row[name]) for name in ("published", "current", "difference")),
                w.t.choice("reason", row["reason"] or "not_known"),
            ]
        )
    columns = w.columns(
        *("formats.id", "table.indicator", "formats.dimension", "formats.category", "table.published"),
        *("table.now", "table.difference", "table.reason"),
    )
    sheet = Sheet("restatements", w.sheet("restatements"), columns, rows, frozen=2)
    return _or_sentence(sheet, w.t("page.no_restatements"))


def _or_sentence(sheet: Sheet, sentence: str) -> Sheet:
    """A table without rows says why: an empty sheet looks like an error."""
    if sheet.rows:
        return sheet
    return Sheet(sheet.key, sheet.name, sheet.columns[:1], [[sentence]], filtered=False)


def _notes(edition: Edition, w: Words) -> Sheet:
    rows: list[list[Cell]] = [[w.t("page.notes"), w.t.say(note)] for note in edition.notes]
    rows = rows or [[w.t("page.notes"), w.t("page.no_notes")]]
    shown = w.t.choice("status", SUPPRESSED)
    rows += [
        [w.t("page.suppression"), w.t("page.suppression_text", shown=shown)],
        [w.t("formats.rounding"), w.t("formats.rounding_text")],
        [w.t("formats.progress"), w.t("formats.progress_text", none=w.not_applicable)],
        [w.t("formats.interval"), w.t("formats.interval_text")],
    ]
    if edition.is_sample:
        rows.append([w.t("page.sample_heading"), w.t("page.sample_text")])
    return Sheet("notes", w.sheet("notes"), w.columns("formats.about", "table.note"), rows, filtered=False)


def _cover(edition: Edition, w: Words) -> Sheet:
    t, standing = w.t, publication_label(edition, w.t)
    period, day = t.period_title(edition.period), t.day(edition.data_as_of)
    cite = t(
        "page.cite_text",
        organisation=edition.organisation,
        year=edition.data_as_of.year,
        period=period,
        day=day,
        status=standing.tag.lower(),
    )
    rows: list[list[Cell]] = [
        [t("formats.report"), t("page.eyebrow")],
        [t("formats.period"), period],
        [t("page.status"), f"{standing.tag}. {standing.sentence}"],
        [t("formats.data_as_of"), Day(edition.data_as_of)],
        [t("page.cite"), f"{cite} {t('page.cite_sample')}" if edition.is_sample else cite],
        [t.choice("status", SUPPRESSED), t("formats.key_suppressed")],
        [t.choice("status", NOT_AVAILABLE), t("formats.key_not_available")],
        [w.not_applicable, t("formats.key_not_applicable")],
    ]
    if edition.is_sample:
        rows.insert(0, [t("page.sample_mark"), t("page.sample_banner")])
    return Sheet(
        "cover", w.sheet("cover"), [t("formats.organisation"), edition.organisation], rows, filtered=False
    )


def _contents(tables: list[Sheet], w: Words) -> Sheet:
    rows: list[list[Cell]] = [
        [sheet.name, w.t(f"formats.holds.{sheet.key}"), Number(len(sheet.rows))] for sheet in tables
    ]
    links = {place: sheet.name for place, sheet in enumerate(tables)}
    columns = w.columns("formats.sheet_column", "formats.holds_column", "formats.rows_column")
    return Sheet("contents", w.sheet("contents"), columns, rows, filtered=False, links=links)
