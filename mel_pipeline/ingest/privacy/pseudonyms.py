"""Keyed pseudonyms for people: HMAC-SHA256 of the source's own id. The key is never stored in the warehouse."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mel_pipeline.core.errors import SettingsError

if TYPE_CHECKING:
    import pandas as pd

    from mel_pipeline.core.settings import Settings

DIGITS = (
    20  # hexadecimal: 80 bits, so that two of a billion people share one by accident once in a million years
)
FILE = "pseudonym.key"
LEAST_KEY = 16  # characters


@dataclass(frozen=True)
class Pseudonyms:
    """Turns ids into pseudonyms. Same source, id and key give the same pseudonym."""

    key: bytes = field(repr=False)

    @property
    def key_id(self) -> str:
        """Identifies the key without revealing it."""
        return hashlib.sha256(b"key id" + self.key).hexdigest()[:8]

    def of(self, source: str, identifier: str) -> str:
        """The pseudonym of a person; ids of different sources are different people."""
        digest = hmac.new(self.key, f"{source}\x1f{identifier}".encode(), hashlib.sha256)
        return f"p{digest.hexdigest()[:DIGITS]}"

    def column(self, source: str, values: pd.Series[str]) -> pd.Series[str]:
        """A column of ids as pseudonyms; missing values stay missing."""
        known: Mapping[str, str] = {value: self.of(source, value) for value in values.dropna().unique()}
        return values.map(known).astype(values.dtype)


def load_pseudonyms(settings: Settings) -> Pseudonyms:
    """The key from ``MEL_PSEUDONYM_KEY``, or from a file in the secrets folder created on first use.

    Raises:
        SettingsError: the key is too short, or the file cannot be read.
    """
    given = settings.pseudonym_key.get_secret_value()
    path = settings.secrets_dir / FILE
    if not given:
        try:
            if not path.exists():
                from mel_pipeline.core.secret_files import write_secret

                write_secret(path, secrets.token_hex(32))
            given = path.read_text(encoding="utf-8").strip()
        except OSError as error:
            raise SettingsError(
                f"Reading the pseudonym key {path}: {error.strerror}. Restore it from a backup: with"
                " another key the same person would count twice."
            ) from error
    if len(given) < LEAST_KEY:
        raise SettingsError(
            f"MEL_PSEUDONYM_KEY: needs at least {LEAST_KEY} characters. Create one with `openssl rand -hex 32`."
        )
    return Pseudonyms(given.encode())
