"""Fetch sent newsletters and their reports from Zoho Campaigns. parse.py interprets the responses."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import ClassVar, TypeVar

from mel_pipeline.core.contracts import EntityContract, fingerprint_of
from mel_pipeline.core.settings import Settings
from mel_pipeline.sources.shared.base import Batch, Client, Load, Pull, simple_pull
from mel_pipeline.sources.shared.http import Answer, Http, Policy, TryAgainError, base_url, explain_status
from mel_pipeline.sources.shared.oauth.zoho import ZohoAuth
from mel_pipeline.sources.shared.rate_limiter import RateLimiter
from mel_pipeline.sources.shared.values import Novelty
from mel_pipeline.sources.zoho_campaigns import parse
from mel_pipeline.sources.zoho_campaigns.parse import Campaign, Record

T = TypeVar("T")
LIST, REPORT = "recentcampaigns", "campaignreports"
PAGE = 20  # campaigns a call
CALLS, WINDOW_SECONDS = 450, 300.0  # Zoho locks an address at 500 in five minutes; retries count as well
SETTLES_AFTER = timedelta(days=30)  # after sending: opens and clicks still come in


def open(settings: Settings, policy: Policy | None = None) -> ZohoCampaigns:
    http = Http(policy)
    url = base_url(settings.zoho_campaigns_url, "MEL_ZOHO_CAMPAIGNS_URL")
    return ZohoCampaigns(http, ZohoAuth(settings, http), url, settings.current_day)


class ZohoCampaigns(Client):
    """Zoho Campaigns as a source. The sign-in does not return its host; it is configured.

    The cursor is JSON: the keys of the campaigns whose report was read after it had settled.
    """

    source = "zoho_campaigns"

    def __init__(self, http: Http, auth: ZohoAuth, url: str, today: date) -> None:
        self._http, self._auth, self._url, self._today = http, auth, url, today
        self._rate_limiters = {
            name: RateLimiter(CALLS, WINDOW_SECONDS, longest_wait=http.policy.longest_wait, sleep=http.sleep)
            for name in (LIST, REPORT)
        }

    def _campaign_load(self, load: Load) -> Pull:
        return simple_pull(
            parse.parse_contents(some, load.contract) for some in [self._fetch_campaigns()] if some
        )

    def _report_load(self, load: Load) -> Pull:
        """Reports of campaigns that are new or were sent in the last 30 days, older ones once."""
        contract = load.contract
        rules = fingerprint_of(contract)
        before = _read_cursor(load.cursor, rules)
        done = _read_cursor(load.checkpoint, rules)  # by an interrupted load: key -> whether it is settled

        def batches() -> Iterator[Batch]:
            pending = [
                found
                for found in self._fetch_campaigns()
                if not before.get(found.key) and found.key not in done
            ]
            for start in range(0, len(pending), PAGE):
                batch, settled = self._fetch_reports(pending[start : start + PAGE], contract)
                done.update(settled)
                yield replace(batch, checkpoint=_dump_cursor(done, rules))

        def new_cursor() -> str | None:
            settled = {key: True for key, is_settled in (before | done).items() if is_settled}
            return _dump_cursor(settled, rules) if settled != before else None

        return Pull(batches(), new_cursor)

    def _fetch_reports(self, some: list[Campaign], contract: EntityContract) -> tuple[Batch, dict[str, bool]]:
        """Campaigns with their reports, and which of them are settled and need not be requested again."""
        reports: list[tuple[Campaign, Record | None]] = []
        unreported: list[Campaign] = []
        for campaign in some:
            found, report = self._fetch_report(campaign)
            if found:
                reports.append((campaign, report))
            else:
                unreported.append(campaign)
        settled = {
            campaign.key: report is not None and self._is_settled(campaign) for campaign, report in reports
        }
        return parse.parse_reports(reports, unreported, contract), settled

    def _is_settled(self, campaign: Campaign) -> bool:
        return campaign.sent_at is not None and campaign.sent_at.date() < self._today - SETTLES_AFTER

    def _fetch_campaigns(self) -> list[Campaign]:
        """All campaigns sent, each once: one that is sent during paging shifts the others."""
        found: dict[str, Campaign] = {}
        novelty = Novelty("Zoho Campaigns list")
        first = 1
        while some := self._fetch_page(first):
            if all(campaign.key in found for campaign in some):
                if len(some) >= PAGE:  # not the end, but the same page again
                    novelty.require([])
                break
            found |= {campaign.key: campaign for campaign in some}
            first += len(some)  # Zoho may return fewer than requested
        return list(found.values())

    def _fetch_page(self, first: int) -> list[Campaign]:
        what = f"Zoho Campaigns list from {first}"
        params = {"sort": "desc", "fromindex": str(first), "range": str(PAGE), "status": "sent"}

        def read(data: Record) -> list[Campaign]:
            return parse.campaigns_in(data, what)

        return self._request(what, LIST, params, read, {parse.END_OF_LIST: []})

    def _fetch_report(self, campaign: Campaign) -> tuple[bool, Record | None]:
        """Whether there is a report, and its counts."""
        what = f"Zoho Campaigns report of {campaign.key}"

        def read(data: Record) -> tuple[bool, Record | None]:
            return True, parse.report_in(data, what)

        missing: tuple[bool, Record | None] = (False, None)
        return self._request(
            what, REPORT, {"campaignkey": campaign.key}, read, dict.fromkeys(parse.NO_REPORT, missing)
        )

    def _request(
        self,
        what: str,
        name: str,
        params: Mapping[str, str],
        read: Callable[[Record], T],
        fallbacks: Mapping[str, T],
    ) -> T:
        """One call; an expired token is renewed once. ``fallbacks`` maps error codes that are no failure to results."""
        used: list[dict[str, str]] = []
        rejected: list[str] = []

        def headers() -> dict[str, str]:
            self._rate_limiters[name].wait(what)
            used.append(self._auth.headers())
            return used[-1]

        def judge(answer: Answer) -> T:
            if answer.status == 429:
                raise parse.explain_error(what, "429", "")
            if answer.status not in (200, 400, 401, 403):
                raise explain_status(answer, "Check MEL_ZOHO_CAMPAIGNS_URL.")
            data = answer.record()
            error = parse.error_in(data) or (("401", "") if answer.status == 401 else None)
            if error is None and answer.status == 200:
                return read(data)
            code, message = error or (f"HTTP {answer.status}", "")
            if code in fallbacks:
                return fallbacks[code]
            is_token = code in parse.BAD_TOKEN or (answer.status == 401 and code != "OAUTH_SCOPE_MISMATCH")
            if is_token and not rejected:
                rejected.append(code)
                self._auth.renew(used[-1])
                raise TryAgainError(f"{what}: the token had expired.", 0.0)
            raise parse.explain_error(what, "401" if is_token else code, message)

        return self._http.call(
            what, f"{self._url}/api/v1.1/{name}", judge, headers=headers, params={"resfmt": "JSON", **params}
        )

    loads: ClassVar = {"contents": _campaign_load, "content_metrics": _report_load}


def _read_cursor(text: str | None, rules: str) -> dict[str, bool]:
    """Campaigns of a cursor or checkpoint; none when they were read under other rules."""
    stored = json.loads(text) if text else {}
    return dict(stored.get("campaigns", {})) if stored.get("rules") == rules else {}


def _dump_cursor(campaigns: Mapping[str, bool], rules: str) -> str:
    return json.dumps({"rules": rules, "campaigns": dict(sorted(campaigns.items()))})
