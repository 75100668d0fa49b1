"""The tables of a donor report as a workbook: logframe, money, agreements, and the released figures behind them."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from mel_pipeline.core.periods import closing_quarter
from mel_pipeline.reporting.figures.measures import missing, number, words
from mel_pipeline.reporting.figures.released import released
from mel_pipeline.reporting.packs.archive import steady
from mel_pipeline.reporting.packs.donor_report import actual_of
from mel_pipeline.reporting.packs.slides import Look
from mel_pipeline.reporting.site.project_pages import Project
from mel_pipeline.reporting.workbook.cells import Cell, Number, Words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mel_pipeline.core.donors import Donor
    from mel_pipeline.reporting.packs.content import View

Rows = list[list[Cell]]
WIDEST, NARROWEST = 60, 12


def donor_annex(view: View, donor: Donor, codes: list[str]) -> bytes:
    """The annex as an XLSX file; the same content gives the same bytes."""
    import xlsxwriter

    t, out = view.t, io.BytesIO()
    book = xlsxwriter.Workbook(
        out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    )
    projects = [project for project in view.projects if project.code in codes]
    sheets: list[tuple[str, Rows]] = [
        (t("site.logframe"), _logframe(view, projects)),
        (t("pack.money"), _money(view, codes)),
        (t("pack.agreements"), _agreements(view, projects)),
        (t("formats.sheet.all_figures"), _figures(view, projects)),
        (t("formats.about"), _about(view, donor)),
    ]
    pens = _Pens(book, Look.of(view))
    for name, rows in sheets:
        _write(book, name[:31], rows, pens, view)
    book.close()
    return steady(out.getvalue())


class _Pens:
    """Formats of the cells, one for each number format."""

    def __init__(self, book: Any, look: Look) -> None:
        self.book = book
        common = {"font_name": "Calibri", "font_size": 11, "valign": "top"}
        self.head = book.add_format(
            {**common, "bold": True, "font_color": look.paper, "bg_color": look.navy, "text_wrap": True}
        )
        self.text = book.add_format({**common, "text_wrap": True})
        self.common = common
        self._numbers: dict[str, Any] = {}

    def number(self, pattern: str) -> Any:
        if pattern not in self._numbers:
            self._numbers[pattern] = self.book.add_format({**self.common, "num_format": pattern})
        return self._numbers[pattern]


def _write(book: Any, name: str, rows: Rows, pens: _Pens, view: View) -> None:
    sheet = book.add_worksheet(name)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.set_paper(9)
    sheet.repeat_rows(0)
    sheet.freeze_panes(1, 0)
    sheet.set_header(f"&L{view.edition.organisation} · {view.title}&R{' · '.join(view.marks)}")
    widths = [NARROWEST] * len(rows[0])
    for across, row in enumerate(rows):
        for down, cell in enumerate(row):
            if isinstance(cell, Number):
                sheet.write_number(across, down, cell.value, pens.number(cell.format))
            else:
                sheet.write_string(across, down, str(cell), pens.head if across == 0 else pens.text)
            widths[down] = max(widths[down], min(WIDEST, len(str(cell)) + 2))
    for down, wide in enumerate(widths):
        sheet.set_column(down, down, wide)


def _logframe(view: View, projects: Sequence[Project]) -> Rows:
    t = view.t
    rows: Rows = [[
        t("site.project"), t("page.level"), t("site.statement"), t("site.measured_by"), t("formats.id"), t("page.baseline"),
        t("page.target"), t("site.actual"), t("page.status"), t("site.evidence"),
    ]]  # fmt: skip
    for project in projects:
        for one in project.logframe:
            rows.append([
                project.code, one.level_word, one.text, one.name, one.indicator, one.baseline, one.target, actual_of(one),
                f"{one.status.shape} {one.status.word}" if one.status else "", one.verification,
            ])  # fmt: skip
    return rows


def _money(view: View, codes: Sequence[str]) -> Rows:
    t, frame = view.t, view.pack.register.finances
    rows: Rows = [
        [
            t("site.project"),
            t("pack.reporting_period"),
            t("site.budget"),
            t("site.spent"),
            t("formats.currency"),
        ]
    ]
    for row in frame.to_dict("records") if len(frame) else []:
        if words(row["project_id"]) in codes:
            amounts = [number(row[name]) for name in ("budget", "spent")]
            cells: list[Cell] = [t("status.not_available") if one is None else Number(one) for one in amounts]
            rows.append([words(row["project_id"]), str(int(row["year"])), *cells, words(row["currency"])])
    return rows


def _agreements(view: View, projects: Sequence[Project]) -> Rows:
    t = view.t
    rows: Rows = [
        [
            t("site.project"),
            t("site.partner"),
            t("site.agreement"),
            t("page.status"),
            t("site.agreed_on"),
            t("site.amount"),
        ]
    ]
    for project in projects:
        rows += [
            [project.code, one.partner, f"{one.kind}: {one.name}", one.status, one.day, one.amount]
            for one in project.agreements
        ]
    return rows if len(rows) > 1 else [*rows, [t("pack.nothing_here"), *[""] * 5]]


def _figures(view: View, projects: Sequence[Project]) -> Rows:
    """Every released figure of the indicators that the logframes name, up to the edition's period."""
    t, cells = view.t, Words(view.t)
    named = {one.indicator for project in projects for one in project.logframe if one.indicator}
    rows: Rows = [[
        t("formats.id"), t("site.plan_indicator"), t("formats.period"), t("formats.dimension"), t("formats.category"),
        t("table.value"),        t("formats.numerator"), t("formats.denominator"), t("page.status"),
    ]]  # fmt: skip
    for one in released(view.edition, view.language):
        if one.measure.id not in named or closing_quarter(one.period) > closing_quarter(view.edition.period):
            continue
        total = one.dimension == "total"
        rows.append([
            one.measure.id, one.measure.name, t.period(one.period), "" if total else t.named("dimension", one.dimension),
            t("table.total") if total else t.category(one.dimension, one.category), cells.figure(one.measure, one.reading),
            cells.part(one.reading, one.reading.numerator), cells.part(one.reading, one.reading.denominator),
            t("page.provisional") if missing(one.version) else t("formats.published_version", version=one.version),
        ])  # fmt: skip
    return rows if len(rows) > 1 else [*rows, [t("pack.nothing_here"), *[""] * 8]]


def _about(view: View, donor: Donor) -> Rows:
    t = view.t
    sample: Rows = [[t("page.sample_heading"), t("page.sample_banner")]] if view.edition.is_sample else []
    return [
        [t("formats.about"), t("pack.donor_report", donor=donor.name)],
        [t("formats.organisation"), view.edition.organisation],
        [t("formats.period"), view.title],
        [t("formats.data_as_of"), t.day(view.edition.data_as_of)],
        [t("page.status"), f"{view.label.tag}. {view.label.sentence}"],
        [t("page.suppression"), t("page.suppression_text", shown=t.choice("status", "suppressed"))],
        *sample,
    ]
