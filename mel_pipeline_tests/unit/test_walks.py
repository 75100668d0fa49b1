"""The developer's guide shows the code as it is."""

from mel_pipeline.core.settings import PROJECT
from mel_pipeline_tests import targetless, walks


def test_every_step_of_a_walk_names_the_line_where_the_code_is() -> None:
    assert walks.FILE.read_text("utf-8") == walks.page(), "run `make docs`"
    assert len(walks.STEP.findall(walks.page())) > 20


def test_every_step_of_a_walk_is_called_by_an_earlier_one() -> None:
    assert walks.uncalled() == []


def test_the_map_names_every_package_and_no_other() -> None:
    there = {path.parent.name for path in (PROJECT / "mel_pipeline").glob("*/__init__.py")}
    assert walks.packages_on_the_map() == there | {"organisations"}  # data alone


def test_the_guide_lists_the_indicators_without_a_target_as_the_catalogue_has_them() -> None:
    written = targetless.FILE.read_text("utf-8")
    assert written == targetless.page(), "run `make docs`"
    assert all(f"[{code}]" in written for code in ("SAT-06", "GEN-01", "GEN-02", "GEN-03"))
