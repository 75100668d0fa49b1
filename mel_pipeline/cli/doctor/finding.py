"""One line of `mel doctor`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum

from mel_pipeline.core.disk_trouble import disk_trouble
from mel_pipeline.core.errors import MelError, NotSetUpError


class Level(IntEnum):
    """How bad it is; the worst one is the exit code."""

    OK = 0
    WARN = 1  # works today: look at it soon
    BROKEN = 2  # something does not work, or would be lost


MARKS = {Level.OK: "✓", Level.WARN: "!", Level.BROKEN: "✗"}


@dataclass(frozen=True)
class Finding:
    level: Level
    what: str
    words: str
    unused: bool = (
        False  # a part that this organisation does not use: nothing is wrong, and nothing is promised
    )

    @property
    def line(self) -> str:
        return f"{'·' if self.unused else MARKS[self.level]} {self.what}: {self.words}"


class WorthALookError(MelError):
    """Raised by a look: works, but deserves attention."""


def guarded(what: str, look: Callable[[], str]) -> Finding:
    """What a look finds: its sentence, or what is wrong.

    Raises:
        NotSetUpError: the part is not used.
    """
    try:
        return Finding(Level.OK, what, look())
    except NotSetUpError:
        raise
    except WorthALookError as warning:
        return Finding(Level.WARN, what, str(warning))
    except MelError as error:
        return Finding(Level.BROKEN, what, str(error))
    except Exception as error:  # what is broken in an unforeseen way is broken, and the other looks go on
        words = f"cannot be used ({type(error).__name__}). Correct its settings, or restore its files from a backup"
        return Finding(Level.BROKEN, what, disk_trouble(error) or words)
