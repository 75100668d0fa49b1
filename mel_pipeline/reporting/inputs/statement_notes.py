"""What an edited workbook states that can be accepted and still deserves a look: compared with what is loaded."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from mel_pipeline.core.errors import WarehouseError
from mel_pipeline.ingest.corrections import correction_of
from mel_pipeline.ingest.replay import finds_nothing
from mel_pipeline.publication import store
from mel_pipeline.publication.calculations import FIGURES
from mel_pipeline.publication.duties import SIGN_OFF
from mel_pipeline.publication.signatures import figures_until
from mel_pipeline.sources.workbook.named_persons import names_a_person
from mel_pipeline.sources.workbook.said import Name, Said
from mel_pipeline.warehouse import Warehouse

if TYPE_CHECKING:
    from mel_pipeline.core.settings import Settings
    from mel_pipeline.sources.workbook.model import Row
    from mel_pipeline.sources.workbook.preview import Checks, Words
    from mel_pipeline.transform.catalogue import Catalogue

PERCENT, PEOPLE = "percent", "people"
SOON = 5.0  # seconds a page waits for a run that writes; without the figures these notes are left out
MOST = 12  # categories listed


def notes(
    settings: Settings, catalogue: Catalogue, stated: Sequence[Row], targets: Sequence[Row] = ()
) -> Checks:
    """By sheet, sentences about a row.

    Args:
        stated: indicators counted by hand, as they are and as they would become.
        targets: rows of the sheet *Targets*, likewise.
    """
    found = _Notes(settings, catalogue, stated, targets)
    by_sheet: dict[str, Callable[[Row], Iterator[Words]]] = {
        "targets": found.target,
        "manual_indicators": found.counted_by_hand,
        "manual_figures": found.stated,
        "earlier_figures": found.figure,
        "main_points": found.text,
        "lessons": found.lesson,
        "corrections": found.correction,
        "decisions": found.text,
        "duties": found.duty,
        "logframe": found.aim,
    }
    return {name: _patient(check) for name, check in by_sheet.items()}


def _patient(check: Callable[[Row], Iterator[Words]]) -> Callable[[Row], list[Words]]:
    """A run that is writing hides the figures: then nothing is said about them."""

    def listed(row: Row) -> list[Words]:
        try:
            return list(check(row))
        except WarehouseError:
            return []

    return listed


class _Notes:
    def __init__(
        self, settings: Settings, catalogue: Catalogue, stated: Sequence[Row], targets: Sequence[Row]
    ) -> None:
        self._settings = settings
        self._with_baseline = {row.get("indicator") for row in targets if row.get("kind") == "baseline"}
        self._own = {str(row.get("code")): row for row in stated}
        self._units = {one.id: one.unit for one in catalogue.indicators}
        self._units |= {code: row.get("unit") or "" for code, row in self._own.items()}
        self._calculated = {one.id for one in catalogue.indicators if not one.stated}
        self._warehouse = Warehouse(settings.database_url, min(SOON, settings.lock_wait_seconds))
        self._editions: set[str] | None = None

    def figure(self, row: Row) -> Iterator[Words]:
        yield from self.share(row)
        yield from self._category(row)

    def target(self, row: Row) -> Iterator[Words]:
        yield from self.figure(row)
        if row.get("dimension"):
            yield "dimension", Said("target_of_part")
        code = row.get("indicator")
        if row.get("kind") == "target" and code not in self._with_baseline:
            self._with_baseline.add(code)  # said once for each indicator
            yield "indicator", Said("no_baseline", code=code or "")

    def aim(self, row: Row) -> Iterator[Words]:
        """A row of a logframe has its baseline beside it."""
        if row.get("indicator") and row.get("target") and not row.get("baseline"):
            yield "target", Said("no_baseline", code=row.get("indicator") or "")

    def share(self, row: Row) -> Iterator[Words]:
        """A spreadsheet shows 87 % and keeps 0.87; pasted as a value, only the latter arrives."""
        value = row.get("value")
        if self._units.get(row.get("indicator") or "") == PERCENT and value and 0 < float(value) < 1:
            yield "value", Said("below_one", value=value, hundred=f"{float(value) * 100:.12g}")

    def stated(self, row: Row) -> Iterator[Words]:
        """Figures counted by hand: nobody else counts them again."""
        yield from self.share(row)
        value, numerator, denominator = (row.get(name) for name in ("value", "numerator", "denominator"))
        if value and float(value) < 0:
            yield "value", Said("below_zero", value=value)
        is_share = self._units.get(row.get("indicator") or "") == PERCENT
        if is_share and numerator and denominator and float(numerator) > float(denominator):
            yield "numerator", Said("more_than_all", numerator=numerator, denominator=denominator)
        yield from self._few(row)

    def _few(self, row: Row) -> Iterator[Words]:
        """How many persons a figure is about: as stated, or the figure itself, or what it is divided by."""
        own = self._own.get(row.get("indicator") or "", {})
        if own.get("about_people") != "yes":
            return
        is_share = own.get("aggregation") == "ratio" or own.get("denominator")
        counted = (
            ("denominator",) if is_share else ("numerator", "value") if own.get("unit") == PEOPLE else ()
        )
        for key in ("people", *counted):
            if (people := row.get(key)) and 0 < float(people) < self._settings.min_cell:
                yield key, Said("few_people", people=f"{float(people):g}", least=self._settings.min_cell)
                return

    def counted_by_hand(self, row: Row) -> Iterator[Words]:
        if row.get("unit") == PEOPLE and row.get("about_people") != "yes":
            heading = Name("manual_indicators", "about_people")
            yield "about_people", Said("not_about_people", heading=heading, least=self._settings.min_cell)

    def lesson(self, row: Row) -> Iterator[Words]:
        yield from self.text(row)
        people = row.get("people")
        if row.get("kind") == "theme" and people and float(people) < self._settings.min_cell:
            yield "people", Said("few_for_theme", people=f"{float(people):g}", least=self._settings.min_cell)

    def correction(self, row: Row) -> Iterator[Words]:
        """A correction that finds nothing among all rows there are, or seems to name who asked for it."""
        for key in ("reason", "provider"):
            if names_a_person(row.get(key) or ""):
                yield key, Said("may_name_person")
        line = correction_of(row)
        if finds_nothing(self._warehouse, self._settings, line):
            yield "match_value_1", Said("matches_nothing", source=line.source, entity=line.entity)

    def _category(self, row: Row) -> Iterator[Words]:
        code, dimension, category = (row.get(key) or "" for key in ("indicator", "dimension", "category"))
        if not category or code not in self._calculated or not self._has(FIGURES):
            return
        known = self._warehouse.records(
            f"select distinct category from {FIGURES}"  # noqa: S608
            " where indicator_id = :code and dimension = :dimension order by category",
            {"code": code, "dimension": dimension},
        )
        names = [str(one["category"]) for one in known]
        if names and category not in names:
            yield "category", Said("category_unseen", code=code, category=category, known=names[:MOST])

    def text(self, row: Row) -> Iterator[Words]:
        edition = row.get("edition") or ""
        if self._editions is None:
            ledger = store.ledger(self._warehouse) if self._has("publication_ledger") else []
            self._editions = {one.quarter for one in ledger if one.event == "published"}
            self._editions |= {one[:4] for one in self._editions if one.endswith("Q4")}
        if edition in self._editions:
            yield "edition", Said("edition_frozen", edition=edition)

    def duty(self, row: Row) -> Iterator[Words]:
        if row.get("kind") != SIGN_OFF or not row.get("done_on") or not row.get("line"):
            return
        line = str(int(float(row["line"] or 0)))
        quarters = list(figures_until(self._settings, row))
        if quarters:
            shown: Sequence[str] = quarters if len(quarters) <= MOST else ["…", *quarters[-MOST:]]
            yield "done_on", Said("signs", line=line, quarters=list(shown))
        else:
            yield "done_on", Said("signs_nothing", line=line)

    def _has(self, table: str) -> bool:
        return self._warehouse.has_table(table)
