"""YAML that people write: what is no such file is refused with a sentence by whatever reads it."""

from __future__ import annotations

from pathlib import Path

import pytest

from mel_pipeline.core.errors import ContractError
from mel_pipeline.core.yaml_io import LARGEST
from mel_pipeline.sources.shared.survey.codebook import codebooks_in, load_codebook
from mel_pipeline.sources.shared.survey.profile import load_profile, profiles_in

NESTED = 3_000


@pytest.mark.slow
@pytest.mark.fault(41)
@pytest.mark.parametrize(
    "text",
    ["[" * NESTED, "{a: " * NESTED, "a: " + "x" * LARGEST, "a: *unknown", "a: &a [*a]", "\x00", "- a\n b: c"],
    ids=["lists", "maps", "large", "alias", "itself", "zero", "indent"],
)
def test_a_codebook_or_profile_of_any_other_shape_is_refused_with_its_name(tmp_path: Path, text: str) -> None:
    path = tmp_path / "cities.yml"
    path.write_text(text)
    for read in (load_codebook, load_profile):
        with pytest.raises(ContractError, match=r"cities\.yml"):
            read(path)
    assert len(codebooks_in(tmp_path)) == 1 and profiles_in(tmp_path)[0] == [], "a fault of that file alone"
