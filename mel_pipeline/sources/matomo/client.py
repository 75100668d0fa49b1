"""Ask Matomo for visits by day. What an answer means is in parse.py."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from mel_pipeline.contracts import EntityContract, contract_of
from mel_pipeline.errors import SettingsError
from mel_pipeline.periods import Quarter
from mel_pipeline.settings import Settings
from mel_pipeline.sources.base import Batch, Pull, simple_pull
from mel_pipeline.sources.http import Answer, Http, Policy, base_url, explain_status, needed
from mel_pipeline.sources.matomo import parse


def open(settings: Settings, policy: Policy | None = None) -> Matomo:
    sites = [site.strip() for site in needed(settings.matomo_site_ids, "MEL_MATOMO_SITE_IDS").split(",")]
    token = needed(settings.matomo_token.get_secret_value(), "MEL_MATOMO_TOKEN")
    url = base_url(settings.matomo_url, "MEL_MATOMO_URL")
    return Matomo(Http(policy), url, token, [site for site in sites if site], settings.current_day)


class Matomo:
    """Matomo as a source: a quarter at a time, up to yesterday. The token travels in the body."""

    def __init__(self, http: Http, url: str, token: str, sites: list[str], today: date) -> None:
        self._http = http
        self._url = url
        self._token = token
        self._sites = sites
        self._today = today

    def pull(
        self,
        entity: str,
        *,
        quarter: Quarter | None = None,
        cursor: str | None = None,  # noqa: ARG002
        checkpoint: str | None = None,  # noqa: ARG002
    ) -> Pull:
        """One row per site and day of the quarter."""
        if quarter is None:
            raise SettingsError("Matomo is asked for a quarter. Name one, like 2024-Q4.")
        return simple_pull(self._days(contract_of("matomo").entities[entity], quarter))

    def _days(self, contract: EntityContract, quarter: Quarter) -> Iterator[Batch]:
        days = parse.days_between(quarter.start, min(quarter.end, self._today))
        if not days:
            return
        for site in self._sites:
            name = parse.site_name(self._ask(site, "SitesManager.getSiteFromId", {}), f"Matomo site {site}")
            # Always a range: for a single date Matomo leaves the day out of the answer.
            data = self._ask(site, "VisitsSummary.get", {"period": "day", "date": f"{days[0]},{days[-1]}"})
            yield parse.parse_days(data, contract, site, name, days)

    def _ask(self, site: str, method: str, more: dict[str, str]) -> object:
        what = f"Matomo {method} site {site}"

        def judge(answer: Answer) -> object:
            if answer.status != 200 and not answer.body.lstrip().startswith(b"{"):
                raise explain_status(answer, "Check MEL_MATOMO_URL.")
            data = parse.check(answer.json(), what, [self._token])
            if answer.status != 200:
                raise explain_status(answer, "Check MEL_MATOMO_URL.")
            return data

        form = {
            "module": "API",
            "method": method,
            "idSite": site,
            "format": "JSON",
            "token_auth": self._token,
        }
        return self._http.call(what, self._url, judge, method="POST", form=form | more)
