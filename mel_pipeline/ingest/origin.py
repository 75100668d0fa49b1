"""Whose data a source's rows are: the sample's or an account's. Data of another origin are refused.

Cursor, checkpoint, rows and history belong to an account: read on from another account's, they would mix two
organisations without a trace. An origin is recorded once rows have arrived, so that a mistyped address can be corrected.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import sqlalchemy as sa

from mel_pipeline.core.clock import utc_now
from mel_pipeline.core.contracts import contract_of
from mel_pipeline.core.errors import OriginError
from mel_pipeline.warehouse.migrating import ensure_tables, is_there
from mel_pipeline.warehouse.tables import data_origin, load_checkpoint, load_ledger

if TYPE_CHECKING:
    from mel_pipeline.core.settings import Settings
    from mel_pipeline.warehouse import Warehouse

SAMPLE, REAL = "sample", "real"
ZOHO = {"zoho_crm": "zoho_api_url", "zoho_people": "zoho_people_url", "zoho_campaigns": "zoho_campaigns_url"}
MEND = (
    "Set MEL_HOME (and MEL_WAREHOUSE_URL, if set) to another place, or empty this one with `mel warehouse empty`."
    " Nothing was changed."
)


@dataclass(frozen=True)
class Origin:
    """``address``: host and path of the service; ``accounts``: digests of the ids it is asked for, if it has any."""

    kind: str
    address: str = ""
    accounts: tuple[str, ...] = ()

    def is_same(self, other: Origin) -> bool:
        """An account may be added or given up, but not all of them replaced."""
        if self.kind == other.kind == SAMPLE:
            return True
        mine, theirs = set(self.accounts), set(other.accounts)
        overlap = bool(mine & theirs) or not mine or not theirs
        return (self.kind, self.address) == (other.kind, other.address) and overlap

    def and_also(self, other: Origin) -> Origin:
        return Origin(self.kind, self.address, tuple(sorted({*self.accounts, *other.accounts})))


def origin_of(settings: Settings, source: str, account: str | None = None) -> Origin:
    """The origin of what the source would send with these settings.

    Args:
        account: the service's own id of it, where the settings name none (``Source.account``).
    """
    if settings.sample:
        return Origin(SAMPLE)
    if source in ZOHO:
        return Origin(
            REAL,
            ""
            if settings.zoho_export_dir and source == "zoho_crm"
            else _place(str(getattr(settings, ZOHO[source]))),
            (_digest(account),) if account else (),
        )
    declared, values = contract_of(source).settings, settings.source(source)
    plain = {name: values.known(name) for name, item in declared.items() if not item.secret}
    addresses = sorted(_place(value) for value in plain.values() if "://" in value)
    accounts = {
        part.strip() for name, value in plain.items() if name.endswith("ids") for part in value.split(",")
    }
    return Origin(REAL, " ".join(addresses), tuple(sorted(_digest(one) for one in accounts if one)))


def require_origin(warehouse: Warehouse, settings: Settings, source: str, account: str | None = None) -> None:
    """Refuse a source whose data would mix with those of another origin.

    Raises:
        OriginError: the warehouse holds the sample's data and real ones are asked for, or the reverse, or this
            source's data are those of another account.
    """
    known = _require_kind(warehouse, settings, source).get(source)
    if known and not known.is_same(origin_of(settings, source, account)):
        raise OriginError(
            f"Loading {contract_of(source).title}: the rows loaded before are those of another account or address. If"
            f" it is the same account at a new address, run `mel warehouse same-account {source}`. {MEND}"
        )


def require_kind(warehouse: Warehouse, settings: Settings, source: str) -> None:
    """Refuse to mix the sample's data and real ones.

    Raises:
        OriginError: the warehouse holds the one, and the settings ask for the other.
    """
    _require_kind(warehouse, settings, source)


def _require_kind(warehouse: Warehouse, settings: Settings, source: str) -> dict[str, Origin]:
    """The origins of all sources, if they fit."""
    with warehouse.connect() as connection:
        known = _read(connection)
    wanted = origin_of(settings, source)
    if any(other.kind != wanted.kind for other in known.values()):
        held, now = ("sample data", "real accounts") if wanted.kind == REAL else ("real data", "the sample")
        raise OriginError(
            f"Loading {contract_of(source).title}: this home holds {held}, and MEL_SAMPLE now asks for {now}. {MEND}"
        )
    return known


def note_origin(
    warehouse: Warehouse,
    settings: Settings,
    source: str,
    account: str | None = None,
    *,
    replace: bool = False,
) -> None:
    """Record the origin of rows that have arrived, also of an interrupted load that left a checkpoint.

    Args:
        replace: it is the same account at another address.
    """
    wanted = origin_of(settings, source, account)
    with warehouse.connect() as connection:
        before = _read(connection).get(source)
        origin = wanted if before is None or replace else wanted.and_also(before)
        if origin == before or not _has_arrived(connection, source):
            return
    with warehouse.transaction() as connection:
        ensure_tables(connection)
        connection.execute(sa.delete(data_origin).where(data_origin.c.source == source))
        connection.execute(
            sa.insert(data_origin).values(
                source=source, origin=json.dumps(asdict(origin), sort_keys=True), noted_at=utc_now()
            )
        )


def holds_sample(warehouse: Warehouse) -> bool:
    """Whether the data are the sample's, whatever the settings say."""
    with warehouse.connect() as connection:
        return any(origin.kind == SAMPLE for origin in _read(connection).values())


def _has_arrived(connection: sa.Connection, source: str) -> bool:
    """Whether a load of the source has ended, or was interrupted with rows staged."""
    if not is_there(connection, load_ledger):
        return False
    loaded = sa.select(load_ledger.c.source).where(
        load_ledger.c.source == source, load_ledger.c.status == "loaded"
    )
    begun = sa.select(load_checkpoint.c.source).where(load_checkpoint.c.source == source)
    return connection.execute(loaded.union(begun).limit(1)).first() is not None


def _read(connection: sa.Connection) -> dict[str, Origin]:
    if not is_there(connection, data_origin):
        return {}
    found = {}
    for row in connection.execute(sa.select(data_origin)):
        written = json.loads(row.origin)
        found[row.source] = Origin(written["kind"], written["address"], tuple(written["accounts"]))
    return found


def _place(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.netloc.rpartition('@')[2]}{parts.path.rstrip('/')}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
