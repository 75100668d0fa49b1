"""Read accounts one after another: what stops one of them does not stop the others. No platform by name here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from mel_pipeline.core.errors import (
    PermanentSourceError,
    ReauthoriseError,
    SourceError,
    UnpromisedError,
)
from mel_pipeline.sources.shared.base import Batch


@dataclass
class EachAccount:
    """The accounts of one load, and which of them could not be read.

    What someone has to change at an account (a permission, a wrong or deleted id) is that account's trouble, and an
    answer about it that lacks what it promises. An expired token or an outage concerns all and ends the load.
    """

    what: str  # "Instagram account", for messages
    troubles: dict[str, SourceError] = field(default_factory=dict)
    _read: int = 0

    def batches(
        self,
        accounts: Iterable[str],
        read: Callable[[str], Iterable[Batch]],
        unread: Callable[[str], Iterable[Batch]] | None = None,
        before: Callable[[], None] | None = None,
    ) -> Iterator[Batch]:
        """Every batch of the accounts that can be read, then what is to be stored about the others.

        Args:
            read: reads one account.
            unread: rows that say that an account could not be read; none where the next load may read it.
            before: what is requested first, for all of them.

        Raises:
            SourceError: no account could be read, or the trouble is not that of one account.
        """
        if before:
            before()
        for account in accounts:
            try:
                yield from read(account)
                self._read += 1
            except ReauthoriseError:
                raise
            except (PermanentSourceError, UnpromisedError) as error:
                self.troubles[account] = error
        if self.troubles and not self._read:
            raise next(iter(self.troubles.values()))
        for account, trouble in self.troubles.items():
            if unread and isinstance(trouble, PermanentSourceError):
                yield from unread(account)

    def warnings(self) -> list[str]:
        return [
            f"{self.what} {account} could not be read, and the others were. {error}"
            for account, error in self.troubles.items()
        ]
