"""Settings of one source, as its contract declares them: ``MEL_<SOURCE>_<NAME>``, secrets never printed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import SecretStr

from mel_pipeline.core import environment
from mel_pipeline.core.contracts import Setting, contract_of, source_names
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


def source_settings(source: str, given: Mapping[str, str], sandbox: str | None) -> SourceSettings:
    """Settings of a source, in this order: ``given``, environment, file, sample.

    Args:
        sandbox: address of the sample organisation, if it fills unset values.
    """
    contract = contract_of(source)
    values: dict[str, SecretStr] = {}
    for name, setting in contract.settings.items():
        variable = f"MEL_{source}_{name}".upper()
        sample = setting.sample.replace("{sandbox}", sandbox) if sandbox else ""
        written = environment.value_of(variable)
        if written and name.endswith("_dir"):
            written = environment.absolute(written, variable)
        values[name] = SecretStr(given.get(name) or written or sample or "")
    return SourceSettings(source, contract.title, contract.settings, values)


def declared() -> set[str]:
    """Names of all settings that contracts declare."""
    return {
        f"MEL_{source}_{name}".upper() for source in source_names() for name in contract_of(source).settings
    }
