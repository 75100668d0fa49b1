"""The language everything is first written in, and texts by language. No list of languages: they are data."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import ConfigDict, RootModel, StringConstraints, model_validator

if TYPE_CHECKING:
    from collections.abc import Mapping

BASE = "en"  # sentences of the models, the loads and the catalogue are written in it
CODE = re.compile(r"[a-z]{2}")
Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


def split_languages(content: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The entries of a mapping that are texts by language, and the others."""
    texts = {str(key): value for key, value in content.items() if CODE.fullmatch(str(key))}
    return texts, {str(key): value for key, value in content.items() if str(key) not in texts}


class Text(RootModel[dict[str, Words]]):
    """The same text by language: ``{en: …, fr: …}``. English is required, any other language may be there."""

    model_config = ConfigDict(frozen=True)

    @model_validator(mode="after")
    def _languages_only(self) -> Text:
        texts, others = split_languages(self.root)
        if others:
            raise ValueError(f"'{next(iter(others))}' is not a language; write its code of two letters")
        if BASE not in texts:
            raise ValueError(f"the text in '{BASE}' is missing")
        return self

    @property
    def by_language(self) -> dict[str, str]:
        return self.root

    @property
    def en(self) -> str:
        return self.root[BASE]
