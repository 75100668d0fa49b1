"""The one exception tree. Every message says what was tried, what happened and what to do.

MelError
├── SettingsError        a setting is missing or wrong
│   ├── NotSetUpError    none of a source's settings is set: the source is unused
│   └── OriginError      the data in the warehouse are another account's, or the sample's
├── SourceError          a source did not return what was requested
│   ├── PermanentSourceError   retrying cannot help (credentials, permission, removed endpoint)
│   │   └── ReauthoriseError   the access token has expired or was withdrawn
│   └── TransientSourceError   retrying later can help (outage, throttling, broken answer)
│       └── UnpromisedError    an answer lacks what it promises: of one account, its own trouble
├── ContractError        what arrived is not what the contract promises
├── CatalogueError       an indicator, target or locale file is wrong
├── ModelError           an SQL model cannot be rendered, ordered or run
├── WarehouseError       the warehouse cannot be opened, read or written
├── ReportError          a chart or page cannot be made
├── PublicationError     a quarter cannot be approved, published or restated
├── DeliveryError        an edition or a notification cannot be sent or copied
├── LoginError           who acts cannot be told, or may not do it
├── ServingError         the UI, its daemon or the sample has ended
└── PortTakenError       another program is using a port

Messages never carry a token, an e-mail address, a person's name or an IP address.
"""

import traceback
from pathlib import Path

_PACKAGE = Path(__file__).parents[1]


class MelError(Exception):
    """Base of all errors a user is meant to read."""


class SettingsError(MelError):
    """A setting is missing or wrong."""


class NotSetUpError(SettingsError):
    """None of a source's settings is set: the source is unused, and nothing is wrong."""


class OriginError(SettingsError):
    """The data in the warehouse are those of another account, or of the sample: loading more would mix them."""


class SourceError(MelError):
    """A source did not return what was requested."""


class PermanentSourceError(SourceError):
    """Retrying cannot help: someone has to change something first."""


class ReauthoriseError(PermanentSourceError):
    """The access token has expired or was withdrawn: someone has to authorise the source again."""


class TransientSourceError(SourceError):
    """Retrying later can help."""


class UnpromisedError(TransientSourceError):
    """An answer came, and lacks what it promises. What it was about is known; other answers may be whole."""


class ContractError(MelError):
    """What arrived is not what the contract promises."""


class CatalogueError(MelError):
    """An indicator, target or text file is wrong."""


class ModelError(MelError):
    """An SQL model cannot be rendered, ordered or run."""


class WarehouseError(MelError):
    """The warehouse cannot be opened, read or written."""


class ReportError(MelError):
    """A chart or a page cannot be made."""


class PublicationError(MelError):
    """A quarter cannot be approved, published or restated; the reasons are listed."""


class DeliveryError(MelError):
    """An edition or a notification cannot be sent or copied; recipients already served are recorded."""


class BackupError(MelError):
    """A backup could not be made, checked or restored."""


class LoginError(MelError):
    """Who acts cannot be told, or may not do it."""


class ServingError(MelError):
    """The UI, its daemon or the sample has ended while it was needed."""


class PortTakenError(MelError):
    """Another program is using the port of the UI or of the sample organisation."""


def place_of(error: BaseException, without: str | None = None) -> str:
    """The innermost line of this package that was running: safe to show where the error's text may quote a record.

    Args:
        without: a module's file whose lines do not count.
    """
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        path = Path(frame.filename)
        if path.is_relative_to(_PACKAGE) and frame.filename != without:
            return f"{path.relative_to(_PACKAGE)}, line {frame.lineno}"
    return "an unknown place"
