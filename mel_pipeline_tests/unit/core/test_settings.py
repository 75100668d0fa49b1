from pathlib import Path

import pytest

from mel_pipeline.core.contracts import contract_of
from mel_pipeline.core.errors import SettingsError
from mel_pipeline.core.settings import Settings, load_settings, with_sample_values
from mel_pipeline.sources import open_source


def test_secrets_do_not_show_when_settings_are_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEL_ZOHO_REFRESH_TOKEN", "1000.very-secret")
    assert "very-secret" not in repr(load_settings()) + str(load_settings())


def test_a_wrong_setting_is_named_and_its_value_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEL_LOCK_WAIT_SECONDS", "hunter2")
    with pytest.raises(SettingsError, match="MEL_LOCK_WAIT_SECONDS") as caught:
        load_settings()
    assert "hunter2" not in str(caught.value)


def test_sample_values_fill_only_what_is_not_set() -> None:
    settings = with_sample_values(Settings(zoho_people_url="https://people.example.org"), 9)
    assert settings.zoho_people_url == "https://people.example.org"
    own = settings.with_source("matomo", url="https://stats.example.org").source("matomo")
    assert (own.text("url"), own.text("token")) == ("https://stats.example.org", "sample-matomo-token")
    assert settings.zoho_api_url == "http://127.0.0.1:9"


def test_without_the_sample_nothing_points_at_the_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEL_SAMPLE", "false")
    settings = load_settings().model_copy(update={"ui_url": ""})  # the UI is on this machine, with or without
    assert "127.0.0.1" not in str(settings)


@pytest.mark.parametrize(
    ("source", "setting"),
    [
        ("zoho_crm", "MEL_ZOHO_"),
        ("zoho_people", "MEL_ZOHO_"),
        ("zoho_campaigns", "MEL_ZOHO_"),
    ],
)
def test_a_source_without_settings_says_which_are_missing(source: str, setting: str) -> None:
    with pytest.raises(SettingsError, match=setting):
        open_source(source, Settings(sample=False)).pull(
            next(iter(contract_of(source).entities)),
            quarter=None,
            cursor=None,
        )


def test_every_public_setting_is_in_the_operators_guide_or_the_example() -> None:
    root = Path(__file__).parents[3]
    documented = (root / "docs" / "operator.md").read_text("utf-8") + (root / ".env.example").read_text(
        "utf-8"
    )
    inner = {"project_dir", "today", "sandbox_port", "sandbox_fail"}  # of tests and demonstrations
    fields = {name for name, field in Settings.model_fields.items() if not field.exclude} - inner
    assert [name for name in sorted(fields) if f"MEL_{name.upper()}" not in documented] == []
