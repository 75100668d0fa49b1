"""Words of the form by language, and back: what a heading, a tab or a word of any language means."""

from __future__ import annotations

from functools import cached_property, lru_cache

from pydantic import BaseModel, ConfigDict

from mel_pipeline.core.normalize_text import normalize_answer, normalize_text
from mel_pipeline.core.yaml_io import from_yaml
from mel_pipeline.sources.workbook.sheets import FOLDER, ID, LANGUAGES, PROPOSAL, FormColumn, Sheet, sheets


class Readme(BaseModel):
    """The first sheet."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str
    heading: str
    lead: str
    first: str
    first_steps: list[tuple[str, str]]  # a sheet, and what to write there
    give_back: str
    rules: str
    steps: list[str]
    sheets: str
    rows: str
    version: str
    made_at: str
    language: str
    footer: str


class Texts(BaseModel):
    """The words of one language."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    language: str
    languages: dict[str, str]
    readme: Readme
    wrong: dict[str, str]
    said: dict[str, str]  # refusals and warnings, by key; see said.py
    required: str
    takes_none: str  # note of the column in which targets name their indicator
    sheets: dict[str, tuple[str, str]]
    columns: dict[str, tuple[str, str]]
    choices: dict[str, str]

    def title(self, sheet: str) -> str:
        return self.sheets[sheet][0]

    def heading(self, sheet: Sheet, column: FormColumn) -> str:
        """As in the form, without the mark of a required one."""
        text = self._column(sheet.name, column.stem)[0]
        if column.number is not None:
            text = text.format(number=column.number)
        return f"{text} ({self.languages[column.language]})" if column.language else text

    def note(self, sheet: Sheet, column: FormColumn) -> str:
        return self._column(sheet.name, column.stem)[1]

    @property
    def id_heading(self) -> str:
        return self.columns[ID][0]

    @property
    def id_note(self) -> str:
        return self.columns[ID][1]

    def word(self, code: str) -> str:
        """A code of a choice in this language."""
        return self.choices.get(code, code)

    def _column(self, sheet: str, stem: str) -> tuple[str, str]:
        return self.columns.get(f"{sheet}.{stem}") or self.columns[stem]

    @cached_property
    def words(self) -> dict[str, str]:
        """Normalised words → codes."""
        return {normalize_answer(word): code for code, word in self.choices.items()}


@lru_cache
def texts_in(language: str) -> Texts:
    """The words of a language; English where there are none in it."""
    path = FOLDER / "texts" / f"{language}.yml"
    if language not in LANGUAGES or not path.is_file():
        return texts_in(LANGUAGES[0])
    return Texts.model_validate(from_yaml(path.read_text(encoding="utf-8")))


def every_language() -> list[Texts]:
    return [texts_in(language) for language in LANGUAGES]


@lru_cache(maxsize=1)
def sheets_by_title() -> dict[str, str]:
    """Normalised names of tabs in every language → sheet."""
    return {normalize_text(texts.title(name)): name for texts in every_language() for name in sheets()}


@lru_cache
def columns_by_heading(sheet: str) -> dict[str, str]:
    """Normalised headings in every language, and keys → key of the column. Headings of two columns mean neither."""
    found: dict[str, set[str]] = {}
    known = sheets()[sheet]
    for texts in every_language():
        found.setdefault(normalize_text(texts.id_heading), set()).add(ID)
        found.setdefault(normalize_text(texts.columns[PROPOSAL][0]), set()).add(PROPOSAL)
        for column in (*known.columns, *known.shown):
            found.setdefault(normalize_text(texts.heading(known, column)), set()).add(column.key)
    for column in known.columns:
        found.setdefault(normalize_text(column.key), set()).add(column.key)
    return {heading: keys.pop() for heading, keys in found.items() if len(keys) == 1}


def code_of(word: str, allowed: tuple[str, ...]) -> str | None:
    """The code that a word of any language, or the code itself, means; None: none of those allowed."""
    wanted = normalize_answer(word)
    for code in allowed:
        if wanted in (normalize_answer(code), normalize_answer(code.replace("_", " "))):
            return code
    found = {texts.words.get(wanted) for texts in every_language()} & set(allowed)
    return found.pop() if len(found) == 1 else None
