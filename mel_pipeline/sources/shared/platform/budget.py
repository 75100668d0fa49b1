"""Keep within a platform's quota, as its answers report it."""

from __future__ import annotations

from dataclasses import dataclass, field

from mel_pipeline.core.errors import TransientSourceError
from mel_pipeline.sources.shared.http import Http


@dataclass
class Budget:
    """A quota as last reported. Waits if it resets soon, otherwise ends the load.

    ``reserve`` is the share left for other users of the same quota.
    """

    http: Http
    what: str  # "Instagram", for messages
    reserve: float = 0.1
    calls: int = 0
    _used: float | None = None  # share, 0 to 1
    _resets_in: float | None = None  # seconds
    _left: dict[str, int] = field(default_factory=dict)

    def note_share(self, used_percent: float, resets_in: float | None = None) -> None:
        """Record how much of the quota is used, in percent."""
        self._used, self._resets_in = used_percent / 100, resets_in

    def note_left(self, left: int, limit: int, resets_in: float | None = None, name: str = "calls") -> None:
        """Record how many calls (or points) are left of ``limit``."""
        self._left[name] = left
        if limit > 0:
            self._used, self._resets_in = 1 - left / limit, resets_in

    def before_call(self) -> None:
        """Call this before each request.

        Raises:
            TransientSourceError: the quota is used up to the reserve, and waiting would take too long.
        """
        self.calls += 1
        if self._used is None or self._used < 1 - self.reserve:
            return
        wait = self._resets_in
        if wait is not None and wait <= self.http.policy.longest_wait:
            self.http.sleep(wait)
            self._used = None
            return
        later = f"in {wait / 60:.0f} minutes" if wait is not None else "later"
        raise TransientSourceError(
            f"{self.what}: {100 * self._used:.0f} % of the quota is used and the rest is reserved for others."
            f" What has arrived is kept; the next run, {later}, resumes from here."
        )

    def usage(self) -> dict[str, int | str]:
        """For the log of the load."""
        remaining = {f"{name} left": left for name, left in self._left.items()}
        used = {"quota used (%)": round(100 * self._used)} if self._used is not None else {}
        return {"calls": self.calls, **used, **remaining}
