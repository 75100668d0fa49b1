"""Settings come from one file, whatever the current folder; unknown names are refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mel_pipeline.core import environment
from mel_pipeline.core.errors import SettingsError
from mel_pipeline.core.organisation import EXAMPLE
from mel_pipeline.core.settings import PROJECT, Settings, load_settings, path_settings
from mel_pipeline.core.source_settings import declared
from mel_pipeline_tests.depth import examples

KNOWN = sorted(
    {f"MEL_{name.upper()}" for name, field in Settings.model_fields.items() if not field.exclude} | declared()
)


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The file of the installation, in another folder than the current one."""
    path = tmp_path / "installation" / ".env"
    path.parent.mkdir()
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    monkeypatch.setenv("MEL_ENV_FILE", str(path))
    path.write_text("")
    return path


@pytest.mark.fault(52)
def test_the_same_file_is_read_in_every_folder(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_text("MEL_SAMPLE=false\nMEL_MATOMO_URL=https://stats.example.org\n")
    for folder in (Path("/"), tmp_path / "elsewhere", file.parent):
        monkeypatch.chdir(folder)
        found = load_settings()
        assert not found.sample and found.source("matomo").text("url") == "https://stats.example.org"


def test_without_mel_env_file_it_is_that_of_the_installation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MEL_ENV_FILE")
    assert environment.env_file() == PROJECT / ".env"


def test_the_environment_takes_precedence_over_the_file_in_either_case(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_text("mel_organisation_name=Written\nMEL_MATOMO_URL=https://written.example.org\n")
    assert load_settings().organisation_name == "Written"
    monkeypatch.setenv("MEL_ORGANISATION_NAME", "Given")
    monkeypatch.setenv("mel_matomo_url", "https://given.example.org")
    found = load_settings()
    assert (found.organisation_name, found.source("matomo").text("url")) == (
        "Given",
        "https://given.example.org",
    )


def test_a_byte_order_mark_does_not_hide_the_first_setting(file: Path) -> None:
    file.write_bytes(b"\xef\xbb\xbfMEL_SAMPLE=false\r\nMEL_ORGANISATION_NAME=Ville\r\n")
    found = load_settings()
    assert not found.sample and found.organisation_name == "Ville"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("MEL_SAMPEL=false\n", r"MEL_SAMPEL \(in .*/installation/\.env\) is not a setting; did you mean MEL_SAMPLE\?"),
        ("MEL_INSTAGRAM_TOKEN=hunter2\n", "did you mean MEL_INSTAGRAM_ACCESS_TOKEN"),
        ("MEL_SOURCE_VALUES={}\n", "MEL_SOURCE_VALUES"),
        ("\n\nMEL_SAMPLE false\n", "line 3 cannot be understood"),
        ("MEL_SAMPLE=true\n# now\nMEL_SAMPLE=false\n", "MEL_SAMPLE is set twice, in lines 1 and 3"),
        ("MEL_TEAM='hunter2'\n", "MEL_TEAM: Input should be a valid boolean"),
    ],
)  # fmt: skip
def test_an_invalid_setting_is_refused_with_its_location_and_without_its_value(
    file: Path, text: str, words: str
) -> None:
    file.write_text(text)
    with pytest.raises(SettingsError, match=words) as caught:
        load_settings()
    assert "hunter2" not in str(caught.value)


def test_a_wrong_name_in_the_environment_is_refused_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEL_SMPT_HOST", "smtp.example.org")
    with pytest.raises(SettingsError, match=r"MEL_SMPT_HOST \(in the environment\).*MEL_SMTP_HOST"):
        load_settings()


@pytest.mark.slow
@pytest.mark.fault(52)
@pytest.mark.deep
@settings(max_examples=examples(30, 600), deadline=None)
@given(st.sampled_from(KNOWN), st.data())
def test_one_wrong_letter_in_any_name_is_refused_with_that_name(name: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(4, len(name) - 1))
    letter = data.draw(st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZ_"))
    mistyped = data.draw(
        st.sampled_from(
            [name[:at] + letter + name[at + 1 :], name[:at] + name[at + 1 :], name[:at] + letter + name[at:]]
        )
    )
    if mistyped in KNOWN:
        return
    with pytest.MonkeyPatch.context() as changed:
        changed.setenv(mistyped, "x")
        with pytest.raises(SettingsError, match=r"did you mean MEL_"):
            load_settings()


def test_every_setting_of_the_example_is_known(file: Path) -> None:
    text = (PROJECT / ".env.example").read_text("utf-8")
    lines = [
        line.removeprefix("#") for line in text.splitlines() if line.removeprefix("#").startswith("MEL_")
    ]
    own = [f"MEL_ORGANISATION={EXAMPLE}"]  # the folder of the example is somebody's own
    left = [line for line in lines if not line.startswith(("MEL_LICENCE", "MEL_ORGANISATION="))]
    file.write_text("\n".join(left + own))
    assert load_settings().organisation_name == "Metropolis" and len(lines) > 60


def test_a_named_file_that_is_missing_or_unreadable_is_reported(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_bytes(b"MEL_ORGANISATION_NAME=Fran\xe7ais\n")
    with pytest.raises(SettingsError, match="not text in UTF-8"):
        load_settings()
    monkeypatch.setenv("MEL_ENV_FILE", str(file.parent / "nowhere"))
    with pytest.raises(SettingsError, match=r"MEL_ENV_FILE is .*nowhere, and there is no such file"):
        load_settings()


def test_settings_in_an_env_file_of_the_current_folder_are_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MEL_ENV_FILE")
    monkeypatch.setattr(environment, "PROJECT", tmp_path / "installation")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / ".env").write_text("OTHER=1\n")
    assert load_settings().sample
    (tmp_path / "elsewhere" / ".env").write_text("export MEL_SAMPLE=false\n")
    with pytest.raises(SettingsError, match=r"elsewhere/\.env is not read.* Move it to .*installation/\.env"):
        load_settings()


def test_relative_paths_are_relative_to_the_file_or_for_the_environment_to_the_current_folder(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_text(
        "MEL_HOME=data\nMEL_WAREHOUSE_URL=duckdb:///data/own.duckdb\nMEL_X_EXPORT_DIR=../exports\nMEL_SURVEY_DIR=~/surveys\n"
    )
    found = load_settings()
    assert found.home == file.parent / "data"
    assert found.database_url == f"duckdb:///{file.parent}/data/own.duckdb"
    assert found.source("x").text("export_dir") == str(tmp_path / "exports")
    assert found.survey_folder == Path.home() / "surveys"
    monkeypatch.setenv("MEL_HOME", "here")
    assert load_settings().home == tmp_path / "elsewhere" / "here"
    with pytest.MonkeyPatch.context() as pinned:
        pinned.setenv("MEL_HOME", "here")
        environment.pin_paths(path_settings())
        monkeypatch.chdir("/")
        assert load_settings().home == tmp_path / "elsewhere" / "here"


def test_server_urls_are_not_treated_as_paths() -> None:
    for url in ("postgresql://mel@host/mel", "duckdb:///:memory:", "duckdb:////data/mel.duckdb"):
        assert environment.absolute(url, "MEL_WAREHOUSE_URL") == url
