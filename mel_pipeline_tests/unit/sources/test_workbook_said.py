"""What is said about a workbook stands in every language of the form."""

from __future__ import annotations

import pickle
import re
from pathlib import Path
from string import Formatter

import pytest

import mel_pipeline
from mel_pipeline.core.errors import ContractError
from mel_pipeline.sources.workbook.cells import CellError, RawCell, read_cell
from mel_pipeline.sources.workbook.said import Name, Said, said_in
from mel_pipeline.sources.workbook.sheets import LANGUAGES, sheets
from mel_pipeline.sources.workbook.texts import texts_in

KEYS = sorted(texts_in("en").said)
USED = re.compile(r'Said\(\s*"(\w+)"|Said\("(\w+)" if [^)]*? else "(\w+)"\)')


def places(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sentence_has_its_translation_and_uses_values_that_the_code_gives(language: str) -> None:
    found = texts_in(language).said
    assert sorted(found) == KEYS
    for key, text in found.items():
        english = texts_in("en").said[key]
        assert places(text) - {"set"} <= places(english), key
        assert language == "en" or text != english or key in ("note_at",), key
        assert text.strip() == text and "  " not in text, key


def test_every_key_of_the_code_is_a_sentence_and_every_sentence_is_used() -> None:
    package = Path(mel_pipeline.__file__).parent
    code = "\n".join(path.read_text(encoding="utf-8") for path in package.rglob("*.py"))
    used = {key for found in USED.findall(code) for key in found if key}
    assert used <= set(KEYS)
    named = set(re.findall(r'"(\w+)"', code))
    assert set(KEYS) <= named


def test_a_refused_cell_says_what_to_do_in_the_language_of_its_reader() -> None:
    kind = sheets()["targets"].column("kind")
    with pytest.raises(CellError) as error:
        read_cell(kind, RawCell("s", "goal"))
    why = error.value.why
    assert why == "it is none of: baseline, target, milestone. Choose from the list"
    assert (
        said_in(why, "fr")
        == "ce n’est aucun de\u202f: point de départ, cible, étape. Choisissez dans la liste"
    )
    assert said_in(why, "es").endswith("Elija de la lista")
    assert said_in(why, "ca").endswith("Trieu de la llista")


def test_an_error_speaks_every_language_and_survives_another_process() -> None:
    error = ContractError(Said("unknown_version", id="abc", again=Said("again_whole")))
    assert "Download the current form" in str(error)
    assert said_in(error, "fr").endswith(
        "Téléchargez le classeur actuel, copiez-y vos lignes, et rendez celui-là."
    )
    again = pickle.loads(pickle.dumps(Said("new_needs", columns=[Name("targets", "period")])))
    assert again.within("es").startswith("una fila nueva necesita Período")
    assert said_in(ContractError("plain words"), "fr") == "plain words"
