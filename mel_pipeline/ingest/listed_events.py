"""Which event an attendance list is of, before it is loaded: by the SQL that decides it afterwards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from mel_pipeline.core.contracts import contract_of
from mel_pipeline.core.errors import WarehouseError
from mel_pipeline.transform import SqlProject
from mel_pipeline.transform.variables import sql_variables
from mel_pipeline.warehouse import Warehouse

if TYPE_CHECKING:
    from mel_pipeline.core.settings import Settings

LISTS, EVENTS = "raw_attendance_lists__attendances", "raw_zoho_crm__events"
_MODELS = ("stg_attendance_lists__attendances", "stg_zoho_crm__events", "int_attendance_event")
NO_EVENT = ("code", "none", "several", "day")  # troubles of a list that counts nowhere
PATIENCE = 5.0  # seconds to wait while a run writes; somebody waits for a page


@dataclass(frozen=True)
class ListedEvent:
    """What a list says about its event, and the event found.

    ``trouble`` is None where people of the list count. Else: `code` (no event has it), `none` (none is named), `several`,
    `day` (of another day than its event), `not_loaded` (no events yet) or `busy` (the warehouse is being written).
    ``day`` is the one that counts, ``otherwise`` the other reading of a day whose order nothing on the list decides;
    ``is_decided``: the event was why. ``is_inside``: the code stands in the list, not in its name. ``starts`` and ``ends``
    are days; without an event, it has none of its fields.
    """

    list_name: str
    trouble: str | None
    code_said: str = ""
    day: date | None = None
    otherwise: date | None = None
    is_decided: bool = False
    is_inside: bool = False
    code: str = ""
    title: str = ""
    kind: str = ""
    programme: str = ""
    status: str = ""
    is_ours: bool = True
    starts: date | None = None
    ends: date | None = None

    @property
    def is_training(self) -> bool:
        """Whether its people can count as trained."""
        return self.kind == "Training" and self.status == "Held" and self.is_ours


def events_of(settings: Settings, stated: Sequence[Mapping[str, str | None]]) -> list[ListedEvent]:
    """The events of lists, in the order of what they say.

    Args:
        stated: by list and event it names, the columns of the contract that say which one it is.
    """
    if not stated:
        return []
    warehouse = Warehouse(settings.database_url, min(PATIENCE, settings.lock_wait_seconds))
    try:
        if not warehouse.has_table(EVENTS):
            return _unknown(stated, "not_loaded")
        return _found(
            warehouse,
            SqlProject.load(settings.sql_dir, sql_variables(settings, settings.open_quarter)),
            stated,
        )
    except WarehouseError:
        return _unknown(stated, "busy")


def _unknown(stated: Sequence[Mapping[str, str | None]], why: str) -> list[ListedEvent]:
    def day(one: Mapping[str, str | None], column: str) -> date | None:
        return date.fromisoformat(text) if (text := one.get(column)) else None

    return [
        ListedEvent(
            one["list_name"] or "",
            why,
            one.get("event_code") or "",
            day(one, "held_on"),
            day(one, "held_on_otherwise"),
            is_inside=bool(one.get("event_code")),
        )
        for one in stated
    ]


def _found(
    warehouse: Warehouse, project: SqlProject, stated: Sequence[Mapping[str, str | None]]
) -> list[ListedEvent]:
    """The models over these rows in place of the loaded lists, so that the rule is written once."""
    columns = contract_of("attendance_lists").entities["attendances"].columns
    rows = [{**one, "list_row": str(place)} for place, one in enumerate(stated)]
    lists = " union all ".join(
        f"select {', '.join(_bound(name, place, row) for name in columns)}, false as _is_deleted"
        for place, row in enumerate(rows)
    )
    tables = {LISTS: lists, **{name: project.compile(name) for name in _MODELS}}
    sql = "with " + ", ".join(f"{name} as ({text})" for name, text in tables.items())
    found = warehouse.records(
        f"{sql} select s.list_row, m.*, e.event_code as code, e.event_name, e.event_type, e.programme, e.event_status,"  # noqa: S608
        " e.is_organised_by_network, e.started_on, e.ended_on"
        " from stg_attendance_lists__attendances as s"
        " join int_attendance_event as m on m.stated_event = s.stated_event"
        " left join stg_zoho_crm__events as e on e.event_id = m.named_event"
        " order by s.list_row",
        {f"{name}_{place}": row[name] for place, row in enumerate(rows) for name in row},
    )
    return [_listed(row, stated[row["list_row"]]) for row in found]


def _bound(name: str, place: int, row: Mapping[str, str | None]) -> str:
    return f"cast({f':{name}_{place}' if name in row else 'null'} as text) as {name}"


def _listed(row: Mapping[str, Any], stated: Mapping[str, str | None]) -> ListedEvent:
    return ListedEvent(
        list_name=row["list_name"],
        trouble=row["trouble_kind"],
        code_said=stated.get("event_code") or "",
        day=day_of(row["held_on"]),
        otherwise=day_of(row["held_on_otherwise"]),
        is_decided=row["trouble_kind"] is None and row["held_on_otherwise"] is not None,
        is_inside=bool(stated.get("event_code")),
        code=row["code"] or "",
        title=row["event_name"] or "",
        kind=row["event_type"] or "",
        programme=row["programme"] or "",
        status=row["event_status"] or "",
        is_ours=bool(row["is_organised_by_network"]),
        starts=day_of(row["started_on"]),
        ends=day_of(row["ended_on"]),
    )


def day_of(value: object) -> date | None:
    """A day as any engine returns it."""
    return date.fromisoformat(str(value)[:10]) if value is not None else None
