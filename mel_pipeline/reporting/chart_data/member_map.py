"""A dot for each member city, in blocks by region placed roughly as on a world map."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from mel_pipeline.core.languages import BASE
from mel_pipeline.reporting.chart_data.page import PageFrame, Stage, code_of, page_frame
from mel_pipeline.reporting.chart_data.waterfall import JOINED, MEMBERS, signed
from mel_pipeline.reporting.figures.findings import UNSTATED, adds_up
from mel_pipeline.reporting.figures.lookup import NOT_AVAILABLE, Reading

if TYPE_CHECKING:
    from mel_pipeline.reporting.figures.measures import Measure

COLUMNS, APART = 4, (2, 3)


def frame(stage: Stage) -> PageFrame | None:
    """One row per region: label, column, row, apart, value, new, their words and state."""
    measure = stage.measure(MEMBERS)
    if measure is None:
        return None
    texts, period = stage.texts, stage.period
    cells = stage.figures.cells(MEMBERS, period, "region")
    joined = stage.figures.cells(JOINED, period, "region")
    places = {region.name[BASE]: region.place for region in stage.edition.regions if region.place}
    order = sorted(cells, key=lambda name: (name in UNSTATED, places.get(name, (COLUMNS, 0)), name))
    rows = [_row(stage, measure, name, cells[name], joined.get(name)) for name in order]
    place_blocks(rows, order, places)
    known = any(row["value"] is not None for row in rows)
    new_known = any(row["new"] is not None for row in rows)
    foot = [texts("picture.member_map.foot")] if known else []
    if known and not new_known:
        foot.append(texts("picture.member_map.new_unknown", period=period))
    if any(row["new"] is not None and row["new"] > (row["value"] or 0) for row in rows):  # type: ignore[operator]
        foot.append(texts("picture.member_map.gone"))
    return page_frame(
        stage,
        "member_map",
        rows,
        title=_title(stage, measure, cells),
        subtitle=texts("picture.member_map.subtitle", period=period),
        headings=[
            texts.choice("dimension", "region").capitalize(),
            measure.name,
            texts("picture.member_map.new", period=period),
        ],
        table=[(str(row["label"]), str(row["shown"]), str(row["new_full"])) for row in rows],
        sources=[measure],
        words={
            "member": texts("picture.member_map.member"),
            "new": texts("picture.member_map.new", period=period),
        },
        foot=foot,
        empty_why="" if known else texts("chart.empty_why"),
    )


def _row(
    stage: Stage, measure: Measure, name: str, cell: Reading, joined: Reading | None
) -> dict[str, object]:
    texts = stage.texts
    new = joined or Reading(NOT_AVAILABLE)
    return {
        "label": texts.named("category", name),
        "apart": name in UNSTATED,
        "value": cell.value,
        "shown": stage.shown(measure, cell),
        "state": code_of(cell),
        "new": new.value,
        "new_shown": texts("picture.member_map.new_here", count=signed(texts, new.value))
        if new.value
        else "",
        "new_full": stage.absent(new) if new.value is None else texts.number(new.value),
    }


def place_blocks(rows: list[dict[str, object]], order: list[str], places: dict[str, tuple[int, int]]) -> None:
    """Set column and row of each block; regions not on the map, and members without one, go where the south-east is free."""
    taken = set(places.values())
    free = (spot for down in count(1) for column in APART if (spot := (column, down)) not in taken)
    for row, name in zip(rows, order, strict=True):
        row["column"], row["row"] = places[name] if name in places else next(free)


def _title(stage: Stage, measure: Measure, cells: dict[str, Reading]) -> str:
    texts, period = stage.texts, stage.period
    known = {
        name: cell.value for name, cell in cells.items() if cell.value is not None and name not in UNSTATED
    }
    if not known or max(known.values()) == 0:
        return texts("finding.no_breakdown", name=measure.name)
    most = max(known.values())
    leaders = [texts.named("category", name) for name in sorted(known) if known[name] == most]
    total = stage.total(MEMBERS, period)
    amount = texts.value(measure, most)
    if adds_up(total, list(cells.values())):
        amount = texts("finding.of_total", part=amount, total=texts.value(measure, total.value))
    if len(leaders) > 1:
        head = texts("finding.lead_together", count=len(leaders), amount=amount)
    else:
        head = texts("picture.member_map.leads", leader=leaders[0], amount=amount)
    new = stage.total(JOINED, period)
    if new.value is None:
        return head
    return texts.plural("picture.member_map.joined", new.value, head=head, period=period)
