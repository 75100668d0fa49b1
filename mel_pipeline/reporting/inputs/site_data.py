"""The content of the reading site, read from the warehouse as frames, and the site written from it.

No data about people leaves this module: participations become events of an organisation, seats become quarters.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mel_pipeline.core.errors import ReportError
from mel_pipeline.core.periods import Quarter
from mel_pipeline.core.target_path import last_day
from mel_pipeline.publication.recall import recall_of
from mel_pipeline.publication.store import last_publication
from mel_pipeline.reporting.edition import Recall
from mel_pipeline.reporting.inputs.editions import read_edition, read_released
from mel_pipeline.reporting.inputs.folders import clear_away, editions_dir
from mel_pipeline.reporting.inputs.register_data import read_register
from mel_pipeline.reporting.site.data import Presence, Site, protected_presence

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    import pandas as pd

    from mel_pipeline.core.settings import Settings
    from mel_pipeline.reporting.site import BuiltSite
    from mel_pipeline.warehouse import Warehouse

PERIOD = re.compile(r"\d{4}(-Q[1-4])?")

# Associates have spells too: every organisation in the network on the day of the event counts.
ATTENDED = """
select
    p.account_id, p.event_id, p.event_type, p.lab, p.started_on,
    max(case when p.role in ('Speaker', 'Moderator') then 1 else 0 end) as spoke
from fct_participation as p
where p.has_attended and p.is_held and exists (
    select 1 from dim_membership as s
    where s.account_id = p.account_id
        and (s.began_on is null or s.began_on <= p.started_on)
        and (s.ended_on is null or p.started_on < s.ended_on)
)
group by p.account_id, p.event_id, p.event_type, p.lab, p.started_on
order by p.account_id, p.started_on, p.event_id
"""
# A spell that ends before it begins covers no day, so it does not make its organisation a member.
SPELLS = """
select account_id, began_on, ended_on from dim_membership
where ended_on is null or began_on is null or began_on < ended_on
order by account_id, spell_number
"""
CITIES = """
select account_id, part_of_account_id, account_name, member_type, region, country_code from dim_member
where account_id in (
    select account_id from dim_membership where ended_on is null or began_on is null or began_on < ended_on
)
order by account_name, country_code, account_id
"""
# Two organisations of the same name are one category in the figures: their contributions cannot be separated.
DONORS = """
select min(donor_account_id) as account_id, donor from fct_contribution
where is_signed and donor_account_id is not null
group by donor having count(distinct donor_account_id) = 1
order by donor
"""


@dataclass(frozen=True)
class WrittenSites:
    """``published``: the site for readers; none before the first publication. ``drafts``: the MEL lead's, of everything."""

    published: BuiltSite | None
    drafts: BuiltSite

    @property
    def first(self) -> BuiltSite:
        return self.published or self.drafts


def read_site(warehouse: Warehouse, settings: Settings, *, published: bool = False) -> Site:
    """Frames for the site, as of the latest edition in its folder.

    Args:
        published: for readers: published periods only.

    Raises:
        ReportError: nothing has been calculated yet; or published.
    """
    with warehouse.connect():  # opened once for everything below
        periods = _calculated(warehouse, published=published)
        folder = editions_dir(settings, published=published)
        edition = read_edition(warehouse, settings, _latest(periods, folder), published=published)
        if published:  # an earlier quarter may have a newer version than when the latest was published
            edition = replace(edition, figures=read_released(warehouse, edition, for_readers=True))
        quarters = [period for period in periods if "-Q" in period]
        return Site(
            edition=edition,
            standings=_standings(warehouse, periods),
            cities=warehouse.read(CITIES),
            spells=warehouse.read(SPELLS),
            presence=_presence(warehouse, quarters, settings.min_cell),
            donors=warehouse.read(DONORS),
            register=read_register(warehouse, last_day(edition.period)),
            recalls=_recalls(warehouse, periods),
            workbook="" if published else f"{settings.ui_url.rstrip('/')}/workbook",
        )


def write_site(warehouse: Warehouse, settings: Settings) -> WrittenSites:
    """Write the readers' site beside the published editions, and one of everything beside the drafts.

    Both are in the configured languages that are complete.

    Raises:
        ReportError: nothing has been calculated yet, or a site cannot be written.
    """
    from mel_pipeline.reporting import cache, languages, refused
    from mel_pipeline.reporting.site import build_site
    from mel_pipeline.reporting.site.store import remove_site

    drafts = read_site(warehouse, settings)
    out, folder = settings.published_dir, editions_dir(settings, published=False)
    for period in set(drafts.edition.figures["period"]) - drafts.standings.keys():
        clear_away(out / period, folder / period)  # written there by an earlier version
    wanted = languages(settings.report_sources, settings.languages)
    incomplete = refused(drafts.edition, settings.report_sources, wanted)
    chosen = [language for language in wanted if language not in incomplete]
    with cache.using(settings.pictures_dir):
        for_lead = build_site(drafts, folder, settings.report_sources, chosen)
        if not drafts.standings:
            remove_site(out)
            return WrittenSites(None, for_lead)
        site = read_site(warehouse, settings, published=True)
        return WrittenSites(build_site(site, out, settings.report_sources, chosen), for_lead)


def _calculated(warehouse: Warehouse, *, published: bool) -> list[str]:
    if warehouse.has_table("released_figures"):
        periods = list(
            warehouse.read(
                "select distinct period from released_figures where grain <> 'month'"  # noqa: S608
                f" {'and version is not null' if published else ''} order by period"
            )["period"]
        )
        if periods:
            return periods
    raise ReportError(
        "Making the reading site: nothing has been calculated yet. Run `mel run --quarter 2024-Q4` first."
    )


def _latest(periods: list[str], folder: Path) -> str:
    """The last period with files; if there are none, the last quarter with figures. A year follows its fourth quarter."""
    folders = {item.name for item in folder.iterdir() if item.is_dir()} if folder.is_dir() else set()
    written = [period for period in periods if period in folders and PERIOD.fullmatch(period)]
    return max(
        written or [period for period in periods if "-Q" in period],
        key=lambda period: (period, 0) if "-Q" in period else (f"{period}-Q4", 1),
    )


def _standings(warehouse: Warehouse, periods: list[str]) -> dict[str, tuple[int, date]]:
    entries = {
        period: last_publication(warehouse, period if "-Q" in period else f"{period}-Q4")
        for period in periods
    }
    return {
        period: (entry.version or 1, entry.happened_at.date()) for period, entry in entries.items() if entry
    }


def _recalls(warehouse: Warehouse, periods: list[str]) -> dict[str, Recall]:
    found = {period: recall_of(warehouse, period if "-Q" in period else f"{period}-Q4") for period in periods}
    return {
        period: Recall(entry.happened_at.date(), entry.role or "", entry.note or "")
        for period, entry in found.items()
        if entry
    }


def _presence(warehouse: Warehouse, quarters: list[str], min_cell: int) -> Presence:
    import pandas as pd

    attended = warehouse.read(ATTENDED)
    attended["spoke"] = attended["spoke"].astype(bool)
    # The type is explicit: without rows pandas would infer numbers.
    attended["quarter"] = pd.Series(
        [str(Quarter.of(_day(moment))) for moment in attended["started_on"]],
        index=attended.index,
        dtype="str",
    )
    attended = attended[attended["quarter"].isin(quarters)].drop(columns="started_on").reset_index(drop=True)
    return protected_presence(attended, _seats(warehouse, quarters), min_cell)


def _day(moment: date | pd.Timestamp) -> date:
    return moment.date() if hasattr(moment, "date") else moment


def _seats(warehouse: Warehouse, quarters: list[str]) -> pd.DataFrame:
    """Organisations with a seat at the end of each quarter, without the number of seats or their holders."""
    import pandas as pd

    query = (
        "select distinct account_id, cast(:quarter as text) as quarter from fct_board_seat"
        " where account_id is not null and term_starts_on < :after and (term_ends_on is null or term_ends_on >= :last)"
        " order by account_id"
    )
    frames = []
    for quarter in quarters:
        after = Quarter.parse(quarter).next().start
        last = after.fromordinal(after.toordinal() - 1)
        frames.append(warehouse.read(query, {"quarter": quarter, "after": after, "last": last}))
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=["account_id", "quarter"])
