"""One file, codebook or profile in trouble is that file's trouble: the others load as if it were not there."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pandas as pd
import pytest

from mel_pipeline.core.settings import Settings
from mel_pipeline.sources.shared.files import FileRefusedError
from mel_pipeline.sources.shared.survey import cells
from mel_pipeline.sources.shared.survey.codebook import codebook_for, codebooks_in
from mel_pipeline.sources.shared.survey.profile import profiles_in
from mel_pipeline.sources.shared.zones import UnknownZoneError, zone_of
from mel_pipeline.sources.survey_files.client import rules_of
from mel_pipeline_tests.depth import examples
from mel_pipeline_tests.fixtures.mutations import mutated_file
from mel_pipeline_tests.survey_cases import CASES, dropped, read

OTHERS = CASES.parent / "surveys"
GOOD = (
    "ID,Start time,Completion time,Email,Name,Overall satisfaction\n"
    "1,2024-11-05 09:00:11,2024-11-05 09:05:00,anonymous,,Satisfied\n"
    "2,2024-11-05 09:10:11,2024-11-05 09:15:00,anonymous,,Dissatisfied\n"
)
QUALTRICS = "crash_qualtrics_timezone_Z.csv"


def put(folder: Path, name: str, content: str | bytes, age: int = 60) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    os.utime(path, (path.stat().st_mtime - age,) * 2)
    return path


def of_good(frame: pd.DataFrame) -> list[tuple[object, ...]]:
    found = frame[frame["survey"] == "good"].drop(columns=["response_id"])
    return sorted(map(tuple, found.astype(str).to_numpy().tolist()))


@pytest.mark.behaviour("file_alone", "qualtrics")
def test_qualtrics_times_in_zone_z_are_in_utc(tmp_path: Path) -> None:
    dropped(tmp_path, QUALTRICS)
    frame, refused, _ = read(tmp_path)
    assert refused == {}
    wanted = ["started_at", "overall_satisfaction", "recommendation"]
    assert frame[wanted].to_numpy().tolist() == [
        ["2024-11-01T09:00:00+00:00", "Very satisfied", "9"],
        ["2024-11-02T09:00:00+00:00", "Satisfied", "8"],
    ]


@pytest.mark.parametrize(
    ("name", "offset"),
    [("Z", 0), ("utc", 0), ("Etc/UTC", 0), ("GMT-3", -180), ("+05:30", 330), ("UTC+1", 60), ("america/denver", None),
     ("US/Mountain", None), ("Europe/Madrid", None)],
)  # fmt: skip
def test_a_zone_is_known_by_the_names_tools_and_people_give_it(name: str, offset: int | None) -> None:
    moment = pd.Timestamp("2024-11-05 09:00").tz_localize(zone_of(name))
    assert offset is None or moment.utcoffset().total_seconds() == offset * 60


@pytest.mark.parametrize(
    "name", ["Mars/Olympus", "", "CEST Madrid", "America", "../etc/passwd", "+25:00", "+01:75"]
)
@pytest.mark.behaviour("file_alone", "qualtrics")
def test_a_zone_that_nobody_knows_refuses_its_file_alone_by_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(UnknownZoneError):
        zone_of(name)
    text = (CASES / QUALTRICS).read_text()
    put(tmp_path, "strange.csv", text.replace('""timeZone"":""Z""', f'""timeZone"":""{name}""'))
    put(tmp_path, "good.csv", GOOD)
    frame, refused, _ = read(tmp_path)
    if name:  # an empty one says nothing, as a layout without zones
        assert list(refused) == ["strange.csv"]
        assert f"time zone '{name}'" in refused["strange.csv"]
        assert "codebook" in refused["strange.csv"]
    assert len(of_good(frame)) == 2


@pytest.mark.behaviour("file_alone", "*")
@pytest.mark.parametrize(
    "codebook",
    ["surveys: [strange*]\nzone: Mars/Olympus\n", "surveys:\n  - strange*\nzone: [\n", "surveys: strange*\nscale: {Good: 9}\n",
     "surveys: [strange*]\nquestions: {gender: [A], city: [A]}\n", "surveys: [strange*]\nquestoins: {}\n"],
)  # fmt: skip
def test_a_broken_codebook_holds_up_the_files_of_its_survey_alone_and_is_told(
    tmp_path: Path, codebook: str
) -> None:
    put(tmp_path, "strange export.csv", GOOD.replace("2024-11-05", "2024-11-06"))
    put(tmp_path, "good.csv", GOOD)
    put(tmp_path / "codebooks", "mine.yml", codebook)
    rules = rules_of(Settings(home=tmp_path, survey_dir=tmp_path, _env_file=None))
    frame, refused, warnings = read(tmp_path, rules)
    assert len(of_good(frame)) == len(frame) == 2
    assert list(refused) == ["strange export.csv"]
    assert "mine.yml" in refused["strange export.csv"]
    assert any("mine.yml" in warning for warning in warnings)


def test_a_codebook_that_is_no_yaml_at_all_holds_up_the_survey_it_is_called_after(tmp_path: Path) -> None:
    (tmp_path / "lab.yml").write_bytes(b"\xff\xfe{[")
    books = codebooks_in(tmp_path)
    assert codebook_for("training", books).questions
    with pytest.raises(FileRefusedError, match=r"lab\.yml"):
        codebook_for("lab", books)


def test_a_broken_profile_and_one_of_two_of_a_name_are_told_and_the_others_used(tmp_path: Path) -> None:
    sound = "tool: {}\nresponse_id: No.\ncompleted_at: Day\n"
    for name, text in {"a": sound.format("paper"), "b": "tool: [", "c": sound.format("twice"), "d": sound.format("twice"),
                       "e": sound.format("far") + "zone: Mars/Olympus\n"}.items():  # fmt: skip
        (tmp_path / f"{name}.yml").write_text(text)
    profiles, faults = profiles_in(tmp_path)
    assert [profile.tool for profile in profiles] == ["paper"]
    assert len(faults) == 3
    assert "b.yml" in faults[0] and "Mars/Olympus" in faults[1] and "called twice" in faults[2]


@pytest.mark.behaviour("file_alone", "*")
def test_what_nobody_foresaw_in_one_file_is_that_files_and_quotes_no_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = cells.zone_for

    def failing(layout: object, book: object) -> str | None:
        if getattr(layout, "tool", "") == "qualtrics":
            raise KeyError("Ana Example")
        return real(layout, book)  # type: ignore[arg-type]

    monkeypatch.setattr(cells, "zone_for", failing)
    dropped(tmp_path, QUALTRICS)
    put(tmp_path, "good.csv", GOOD)
    frame, refused, _ = read(tmp_path)
    assert len(of_good(frame)) == len(frame) == 2
    assert "KeyError at" in refused[QUALTRICS] and "Ana" not in refused[QUALTRICS]


def test_a_file_with_a_name_in_another_encoding_is_loaded_under_a_readable_one(tmp_path: Path) -> None:
    put(tmp_path, os.fsdecode(b"caf\xe9.csv"), GOOD)
    frame, refused, _ = read(tmp_path)
    assert (len(frame), refused) == (2, {})
    assert frame.to_csv().encode()  # a database takes only what can be encoded


@pytest.mark.slow
@pytest.mark.deep
@pytest.mark.fault(70)
@pytest.mark.behaviour("file_alone", "*")
def test_a_file_broken_in_any_way_leaves_the_answers_of_the_others_as_they_are(tmp_path: Path) -> None:
    exports = sorted(path for path in OTHERS.glob("*.csv"))
    put(tmp_path, "good.csv", GOOD)
    alone = of_good(read(tmp_path)[0])
    for seed in range(examples(2, 30)):
        for path in exports:
            put(tmp_path, path.name, mutated_file(path.read_bytes(), random.Random(f"{path.name} {seed}")))
        frame, _, _ = read(tmp_path)
        assert of_good(frame) == alone
