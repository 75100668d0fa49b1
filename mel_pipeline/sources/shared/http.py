"""HTTP for every source: time limits, retries, and what a failure means. No source by name here.

An answer has to be complete by one deadline (``deadline.py``), a request with its retries by another, and all
requests of a load by a third. Two layers retry: urllib3 retries transport failures (connection, 500, 502, 503,
504, and 429 with Retry-After), and a client what the body of an answer calls for, by raising ``TryAgainError``.
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

import requests
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt
from urllib3.exceptions import HTTPError
from urllib3.util.retry import Retry

from mel_pipeline.core.deadline import Deadline, current, within
from mel_pipeline.core.disk_trouble import NO_SPACE, says_full_disk
from mel_pipeline.core.errors import PermanentSourceError, SettingsError, SourceError, TransientSourceError
from mel_pipeline.sources.shared.deadline import DeadlineAdapter
from mel_pipeline.sources.shared.json_body import read_json
from mel_pipeline.sources.shared.waits import LONGEST_KNOWN, duration, seconds_until, wait_until

if TYPE_CHECKING:
    from urllib3.response import BaseHTTPResponse

T = TypeVar("T")
_CHUNK = 1 << 16
_LARGEST_ANSWER = 64 << 20  # a page of records is a few hundred kilobytes
_LARGEST_FILE = 2 << 30  # as it is stored, decompressed
_PERSONAL = re.compile(r"[\w.+-]+@[\w-]+\.[\w.]+|\b\d{1,3}(?:\.\d{1,3}){3}\b|\b[\w.-]{32,}\b|https?://\S+")


class TryAgainError(TransientSourceError):
    """The request should be retried. ``wait_seconds`` is the wait the service requested, if any."""

    def __init__(self, message: str, wait_seconds: float | None = None) -> None:
        super().__init__(message)
        self.wait_seconds = wait_seconds


@dataclass(frozen=True)
class Policy:
    """Timeouts, retries and waits of a client; times are in seconds."""

    connect: float = 10.0
    read: float = 60.0  # between two bytes
    answer: float = 180.0  # for a whole answer, however slowly it trickles in
    request: float = 1_800.0  # for a request with all its attempts and waits, and for a download
    load: float = 10_800.0  # for all requests of a load, however many pages there are
    attempts: int = 4
    backoff: float = 1.0
    job: float = 1_800.0  # for a job that runs at the service
    poll: float = 2.0  # between two checks of a job at first; then ever longer
    longest_wait: float = 120.0  # if requested to wait longer, a client gives up until the next run
    throttled: float = 60.0  # wait when a service throttles without saying for how long


@dataclass(frozen=True)
class Answer:
    """A response, read to its end."""

    what: str
    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> object:
        """The body as JSON; decimal numbers stay exact.

        Raises:
            PermanentSourceError: it is a web page (a login page, a wrong address).
            TryAgainError: the JSON is truncated, or nested deeper than any service nests it.
        """
        if self.body.lstrip()[:1] == b"<":
            raise PermanentSourceError(
                f"{self.what}: a web page came instead of data (HTTP {self.status}), such as a login page."
                " Check the address in the settings."
            )
        try:
            return read_json(self.body)
        except (ValueError, RecursionError):
            raise TryAgainError(
                f"{self.what}: the answer is truncated or not JSON (HTTP {self.status},"
                f" {len(self.body):,} bytes). Run the load again later."
            ) from None

    def record(self) -> dict[str, object]:
        """The body as a JSON object."""
        data = self.json()
        if not isinstance(data, dict):
            raise PermanentSourceError(
                f"{self.what}: expected a JSON object, got {type(data).__name__}."
                " Check the address in the settings."
            )
        return data


@dataclass(frozen=True)
class _Request:
    """One request. Headers and form may hold secrets: never printed."""

    what: str
    url: str
    method: str
    headers: Mapping[str, str] = field(repr=False)
    params: Mapping[str, str] | None
    form: Mapping[str, str] | None = field(repr=False)
    body: object = field(repr=False)


class _Retry(Retry):
    """Gives up when a server requests a longer wait with Retry-After than ``longest_wait``."""

    longest_wait = 120.0

    def get_retry_after(self, response: BaseHTTPResponse) -> float | None:
        requested: float | None = super().get_retry_after(response)
        deadline = current()
        if requested is not None and requested > self.longest_wait:
            what = deadline.what if deadline else "The request"
            raise TransientSourceError(f"{what}: HTTP {response.status}. {wait_until(requested)}")
        return requested

    def sleep(self, response: BaseHTTPResponse | None = None) -> None:
        super().sleep(response)
        if (deadline := current()) is not None:
            deadline.restart()


class Http:
    """One session for one source. Safe to share between a few threads."""

    def __init__(self, policy: Policy | None = None, sleep: Callable[[float], None] = time.sleep) -> None:
        self.policy = policy or Policy()
        self._sleep = sleep
        self._load_until: float | None = None  # set by the first request

    @cached_property
    def _session(self) -> requests.Session:
        session = requests.Session()
        session.trust_env = False  # no proxy, no .netrc: a secret goes only where the settings say
        session.headers["User-Agent"] = "mel-pipeline"
        retry_class = type("_BoundedRetry", (_Retry,), {"longest_wait": self.policy.longest_wait})
        retry = retry_class(
            total=self.policy.attempts - 1,
            redirect=0,
            status_forcelist=(500, 502, 503, 504),
            allowed_methods=("GET", "POST"),  # every POST here only reads
            backoff_factor=self.policy.backoff,
            backoff_jitter=self.policy.backoff,
            backoff_max=self.policy.longest_wait,
            raise_on_status=False,
            retry_after_max=int(LONGEST_KNOWN),  # by default, a longer one is cut to six hours
        )
        adapter = DeadlineAdapter(max_retries=retry, pool_maxsize=8)
        session.mount("https://", adapter)
        session.mount("http://", adapter)
        return session

    def call(
        self,
        what: str,
        url: str,
        judge: Callable[[Answer], T],
        *,
        method: str = "GET",
        headers: Callable[[], Mapping[str, str]] = dict,
        params: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
        body: object = None,
        into: Path | None = None,
    ) -> T:
        """Send a request and return ``judge(answer)``; retry while that raises ``TryAgainError``.

        Args:
            what: the request in words, for messages: "Zoho CRM Contacts page 3".
            headers: called before each attempt, so that a renewed token is used.
            form: the body; secrets belong here or in headers, never in ``params``.
            body: the body as JSON, instead of a form.
            into: file for the body when the status is 200; it may be large.

        Raises:
            SourceError: explained in plain words, without address, token or body.
        """
        until = self._request_until(what)
        for attempt in Retrying(
            retry=retry_if_exception_type(TryAgainError),
            stop=stop_after_attempt(self.policy.attempts),
            wait=self._wait,
            sleep=self._sleep,
            reraise=True,
        ):
            with attempt:
                request = _Request(what, url, method, headers(), params, form, body)
                return judge(self._send(request, into, until))
        raise AssertionError("unreachable: Retrying returns or raises")

    def _request_until(self, what: str) -> float:
        """When a request that begins now has to be done."""
        now = time.monotonic()
        if self._load_until is None:
            self._load_until = now + self.policy.load
        if now >= self._load_until:
            raise TransientSourceError(
                f"{what}: the load has taken {duration(self.policy.load)} and was stopped. What has arrived is"
                " kept where the source can resume; the next run goes on from there."
            )
        return now + self.policy.request

    def sleep(self, seconds: float) -> None:
        """Wait, with the sleep function of this client."""
        self._sleep(seconds)

    def _wait(self, state: RetryCallState) -> float:
        """The requested wait; else exponential backoff with jitter, so that clients do not retry in step."""
        error = state.outcome.exception() if state.outcome else None
        requested = error.wait_seconds if isinstance(error, TryAgainError) else None
        if requested is None:
            longest = self.policy.backoff * float(2 ** (state.attempt_number - 1))
            return min(longest * random.uniform(0.5, 1.5), self.policy.longest_wait)  # noqa: S311 - no secret
        if requested > self.policy.longest_wait:
            raise TransientSourceError(f"{error} {wait_until(requested)}") from None
        return requested

    def _send(self, request: _Request, into: Path | None, until: float) -> Answer:
        seconds = self.policy.answer if into is None else self.policy.request
        try:
            with (
                within(Deadline(request.what, seconds, until)),
                self._session.request(
                    request.method,
                    request.url,
                    headers=dict(request.headers),
                    params=request.params,
                    data=request.form,
                    json=request.body,
                    timeout=(self.policy.connect, self.policy.read),
                    allow_redirects=False,
                    stream=True,
                ) as response,
            ):
                body = b""
                if into is not None and response.status_code == 200:
                    _save(response, into, request.what)
                else:
                    body = _read_all(response, request.what)
                return Answer(request.what, response.status_code, response.headers, body)
        except (requests.RequestException, HTTPError, OSError) as error:
            raise explain(error, request.what, request.url) from None


def _read_all(response: requests.Response, what: str) -> bytes:
    """The whole body, in pieces: a huge one is refused before it is held."""
    parts: list[bytes] = []
    size = 0
    while part := response.raw.read1(_CHUNK, decode_content=True):
        parts.append(part)
        size += len(part)
        if size > _LARGEST_ANSWER:
            raise PermanentSourceError(
                f"{what}: the answer is larger than {_LARGEST_ANSWER >> 20} MB and was refused."
                " Check the address in the settings."
            )
    return b"".join(parts)


def _save(response: requests.Response, into: Path, what: str) -> None:
    """Stream the body into a file; memory stays flat, and one without an end does not fill the disk."""
    size, deadline = 0, current()
    with into.open("wb") as file:
        while part := response.raw.read1(_CHUNK, decode_content=True):
            size += len(part)
            if size > _LARGEST_FILE:
                raise PermanentSourceError(
                    f"{what}: the file is larger than {_LARGEST_FILE >> 30} GB and was refused."
                    " Check the address in the settings."
                )
            if deadline is not None:
                deadline.left()  # a little that has arrived may unpack to much
            file.write(part)


def explain(error: Exception, what: str, url: str) -> SourceError:
    """What a failed request means. The error's own text is left out: it contains addresses."""
    host = urlsplit(url).hostname or "an invalid address"
    broken = requests.exceptions
    if says_full_disk(str(error)):  # of a download
        return TransientSourceError(f"{what}: {NO_SPACE}")
    match error:
        case broken.SSLError():
            return PermanentSourceError(
                f"{what}: the certificate of {host} is not trusted. Check the address."
            )
        case broken.InvalidURL() | broken.MissingSchema() | broken.InvalidSchema():
            return PermanentSourceError(f"{what}: the address in the settings is not valid. Check it.")
        case broken.Timeout():
            return TransientSourceError(f"{what}: {host} did not answer in time. Run the load again later.")
        case broken.ConnectionError():
            return TransientSourceError(
                f"{what}: {host} cannot be reached. Check the network, then run the load again."
            )
        case _:
            return TryAgainError(f"{what}: the answer from {host} broke off. Run the load again later.")


def explain_status(answer: Answer, hint: str) -> SourceError:
    """What an HTTP status means if the body says nothing better. ``hint`` says what to do about a 4xx."""
    status = answer.status
    if status == 429:
        return TryAgainError(
            f"{answer.what}: HTTP 429, too many requests. Run the load again later.", _retry_after(answer)
        )
    if status in (408, 425) or status >= 500:
        return TransientSourceError(
            f"{answer.what}: HTTP {status} after several tries. Run the load again later."
        )
    if 300 <= status < 400:
        return PermanentSourceError(
            f"{answer.what}: HTTP {status}, a redirect to another address, which is not followed. {hint}"
        )
    return PermanentSourceError(f"{answer.what}: HTTP {status}. {hint}")


def _retry_after(answer: Answer) -> float | None:
    return seconds_until(answer.headers.get("Retry-After", ""))


def clean(text: object, secrets: Iterable[str] = ()) -> str:
    """A service's own words, made safe for a message: short, without secrets, addresses or long tokens."""
    words = " ".join(str(text).split())
    for secret in filter(None, secrets):
        words = words.replace(secret, "…")
    return _PERSONAL.sub("…", words)[:200]


def base_url(url: str, setting: str) -> str:
    """An address from the settings, without a trailing slash.

    Raises:
        SettingsError: it is empty, or would send secrets unencrypted over the network.
    """
    parts = urlsplit(needed(url, setting))
    local = parts.hostname in ("127.0.0.1", "localhost", "::1")
    if parts.scheme == "https" or (parts.scheme == "http" and local):
        return url.strip().rstrip("/")
    raise SettingsError(f"{setting} must start with https://, so that secrets travel encrypted.")


def needed(value: str, setting: str) -> str:
    """A setting that must not be empty."""
    if not value.strip():
        raise SettingsError(f"{setting} is empty. Set it in .env; see the README of the source.")
    return value.strip()
