"""Common to all sources: a method for each entity of the contract; bad arguments fail before any request."""

from importlib import import_module
from inspect import getmembers, isclass
from types import SimpleNamespace
from typing import Any

import pytest

from mel_pipeline.core.contracts import contract_of, source_names
from mel_pipeline.core.errors import SettingsError
from mel_pipeline.core.periods import Quarter
from mel_pipeline.sources.shared.base import EVERY, Client, Load, Pull


def client_of(source: str) -> Any:
    module = import_module(f"mel_pipeline.sources.{source}.client")
    found = [
        made
        for _, made in getmembers(module, isclass)
        if issubclass(made, Client) and made.__module__ == module.__name__
    ]
    assert len(found) == 1
    return found[0]


@pytest.mark.parametrize("source", source_names())
def test_every_entity_of_a_contract_has_a_method_and_no_other(source: str) -> None:
    made = client_of(source)
    assert made.source == source
    assert set(made.loads) in ({EVERY}, set(contract_of(source).entities))
    assert "pull" not in vars(made)


class Posts(Client):
    source = "instagram"

    def _any(self, load: Load) -> Pull:
        return Pull(iter(()), warnings=lambda: [f"{load.entity} {load.asked}"])

    loads = {"accounts": _any, "contents": _any}  # noqa: RUF012


def test_an_entity_that_is_loaded_by_quarter_needs_one() -> None:
    with pytest.raises(
        SettingsError,
        match=r"Instagram Posts and videos: the load needs a quarter\. Name one, such as 2024-Q4",
    ):
        Posts().pull("contents")
    assert Posts().pull("contents", quarter=Quarter(2024, 4)).warnings() == ["contents 2024-Q4"]
    assert Posts().pull("accounts").warnings() == ["accounts None"]


def test_an_unknown_entity_is_refused_with_the_known_ones() -> None:
    with pytest.raises(SettingsError, match=r"Loading Instagram: it has no 'reels'\. It has: accounts, "):
        Posts().pull("reels")


def test_an_entity_that_is_not_loaded_by_quarter_has_none() -> None:
    with pytest.raises(TypeError, match="not loaded by quarter"):
        _ = Load("accounts", SimpleNamespace(title="Accounts")).quarter  # type: ignore[arg-type]
