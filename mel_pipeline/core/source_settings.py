"""Settings of one source, as its contract declares them: ``MEL_<SOURCE>_<NAME>``, secrets never printed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dotenv import dotenv_values
from pydantic import SecretStr

from mel_pipeline.core.contracts import Setting, contract_of
from mel_pipeline.core.errors import NotSetUpError, SettingsError


@dataclass(frozen=True)
class SourceSettings:
    """Values by name. Empty ones fall back to the contract's default, or to the sample's value."""

    source: str
    title: str
    declared: Mapping[str, Setting]
    values: Mapping[str, SecretStr] = field(repr=False)

    def variable(self, name: str) -> str:
        """Name of the environment variable."""
        return f"MEL_{self.source}_{name}".upper()

    def text(self, name: str) -> str:
        """A value.

        Raises:
            NotSetUpError: nothing is set for this source: it is unused.
            SettingsError: the value is required and empty.
        """
        value = self._value(name)
        if not value and not self.declared[name].optional:
            if self.is_unused:
                raise NotSetUpError(f"{self.title} is not set up, so it is skipped.")
            raise SettingsError(
                f"{self.variable(name)} is empty. Set it in .env; see the README of the source."
            )
        return value

    def known(self, name: str) -> str:
        """A value, or an empty string if an optional one is unset."""
        return self._value(name)

    def listed(self, name: str) -> list[str]:
        """The parts of a comma-separated value."""
        return [part.strip() for part in self.text(name).split(",") if part.strip()]

    @property
    def is_unused(self) -> bool:
        """Whether every setting without a default is empty."""
        needed = any(not setting.default and not setting.optional for setting in self.declared.values())
        own = [name for name, setting in self.declared.items() if not setting.default]
        return needed and not any(self._value(name) for name in own)

    @property
    def secrets(self) -> list[str]:
        """Secret values, for redaction."""
        return [
            value
            for name, setting in self.declared.items()
            if setting.secret and (value := self._value(name))
        ]

    def _value(self, name: str) -> str:
        given = self.values.get(name)
        return (given.get_secret_value().strip() if given else "") or self.declared[name].default


def source_settings(
    source: str, given: Mapping[str, str], sandbox: str | None, env_file: Path = Path(".env")
) -> SourceSettings:
    """Settings of a source, in this order: ``given``, environment, file, sample.

    Args:
        sandbox: address of the sample organisation, if it fills unset values.
    """
    contract = contract_of(source)
    written = dotenv_values(env_file) if env_file.is_file() else {}
    values: dict[str, SecretStr] = {}
    for name, setting in contract.settings.items():
        variable = f"MEL_{source}_{name}".upper()
        sample = setting.sample.replace("{sandbox}", sandbox) if sandbox else ""
        value = given.get(name) or os.environ.get(variable) or written.get(variable) or sample
        values[name] = SecretStr(value or "")
    return SourceSettings(source, contract.title, contract.settings, values)
