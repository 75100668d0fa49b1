"""What a row of the workbook is checked against when it is written, beside what its own cells show."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from mel_pipeline.core.contracts import contract_of, source_names
from mel_pipeline.core.errors import CatalogueError, ContractError, MelError
from mel_pipeline.core.normalize_text import is_bare, normalize_answer
from mel_pipeline.core.target_path import last_day
from mel_pipeline.ingest.corrections import correction_of
from mel_pipeline.ingest.identity import NOT_A_MEMBER, named_by, wrong_decision
from mel_pipeline.reporting.inputs.project_checks import person_notes, project_checks
from mel_pipeline.reporting.inputs.statement_form import UNJUDGED, WORKBOOK, known_members
from mel_pipeline.reporting.inputs.statement_notes import notes
from mel_pipeline.reporting.page.summary import main_point_fault
from mel_pipeline.sources.shared.zones import zone_of
from mel_pipeline.sources.workbook import versions
from mel_pipeline.sources.workbook.preview import Checks, Words, preview
from mel_pipeline.sources.workbook.read import read
from mel_pipeline.sources.workbook.said import Name, Said
from mel_pipeline.transform.catalogue import Catalogue, catalogue_of, load_catalogue

if TYPE_CHECKING:
    from pathlib import Path

    from mel_pipeline.core.settings import Settings
    from mel_pipeline.ingest.identity import Members
    from mel_pipeline.sources.workbook.model import Preview, Row, Rows, Upload, Version

MOST_WORDS = 30  # of a main point; the template of the report has two lines for it


def checks(settings: Settings, upload: Upload) -> Checks:
    """By sheet, what is wrong with a row that its own cells do not show. For ``preview``.

    Args:
        upload: indicators and targets that it states count as well.
    """
    catalogue = catalogue_of(settings)
    rows = _together(versions.current(settings).rows, upload)
    manual = {str(row["code"]) for row in rows["manual_indicators"] if row.get("code")}
    known = {one.id for one in catalogue.indicators}
    members = known_members(settings)
    found: dict[str, Callable[[Row], Iterator[Words]]] = {
        "targets": lambda row: _target(row, catalogue, known | manual, rows["targets"]),
        "manual_indicators": lambda row: _own_code(row, known - manual),
        "manual_figures": lambda row: _indicator(row, catalogue, manual, is_manual=True),
        "earlier_figures": lambda row: _indicator(row, catalogue, known | manual),
        "main_points": lambda row: _main_point(row, known | manual),
        "corrections": _correction,
        "cities": lambda row: _city(row, members),
        "survey_questions": _question,
        "answer_scales": _label,
        **project_checks(catalogue, manual, rows.get("projects", [])),
    }
    return {name: _listed(check) for name, check in found.items()}


def judge(settings: Settings, content: Path | bytes) -> Preview:
    """What an edited workbook would change, with every rule there is: the one way in for page, terminal and Dagster.

    Raises:
        ContractError: the file cannot be read, or says no version that is known here.
    """
    upload = read(content)
    return previewed(settings, upload)


def previewed(settings: Settings, upload: Upload) -> Preview:
    """As ``judge``, for rows that do not come from a file."""
    catalogue = catalogue_of(settings)
    rows = _together(versions.current(settings).rows, upload)
    own = notes(settings, catalogue, rows["manual_indicators"], rows["targets"])
    return preview(
        settings,
        upload,
        checks(settings, upload),
        notes=_joined(own, person_notes()),
        works=lambda version: _why_broken(settings, version),
    )


def _joined(*every: Checks) -> Checks:
    """Checks of several kinds as one; a sheet may have some of each."""

    def check(name: str) -> Callable[[Row], list[Words]]:
        return lambda row: [words for one in every if name in one for words in one[name](row)]

    return {name: check(name) for one in every for name in one}


def _why_broken(settings: Settings, version: Version) -> str:
    """Why no run could read a version; empty: it can."""
    try:
        load_catalogue(settings.sql_dir, settings.organisation, version)
    except CatalogueError as error:
        return str(error).rstrip(".")
    return ""


def _listed(check: Callable[[Row], Iterator[Words]]) -> Callable[[Row], list[Words]]:
    return lambda row: list(check(row))


def _together(current: Rows, upload: Upload) -> dict[str, list[Row]]:
    return {name: [*rows, *(one.row for one in upload.rows.get(name, ()))] for name, rows in current.items()}


def _indicator(
    row: Row, catalogue: Catalogue, known: set[str], *, is_manual: bool = False
) -> Iterator[Words]:
    code = row.get("indicator") or ""
    if code not in known:
        sheet = Name("manual_indicators")
        yield (
            "indicator",
            Said("indicator_not_manual", code=code, sheet=sheet)
            if is_manual
            else Said("indicator_unknown", code=code),
        )
        return
    indicator = next((one for one in catalogue.indicators if one.id == code), None)
    dimension = row.get("dimension")
    is_free = indicator is None or indicator.stated  # what is counted by hand may be broken down by anything
    if not is_free and indicator and dimension and dimension not in indicator.disaggregations:
        known_ones = list(indicator.disaggregations)
        yield (
            "dimension",
            Said("dimension_unknown", code=code, dimension=dimension, known=known_ones)
            if known_ones
            else Said("dimension_none", code=code),
        )


def _target(row: Row, catalogue: Catalogue, known: set[str], targets: Sequence[Row]) -> Iterator[Words]:
    yield from _indicator(row, catalogue, known)
    indicator = next((one for one in catalogue.indicators if one.id == row.get("indicator")), None)
    if row.get("kind") == "baseline":
        return
    if indicator and indicator.direction in UNJUDGED:
        yield "kind", Said(UNJUDGED[indicator.direction], code=indicator.id)
    if row.get("kind") == "milestone" and not _has_later_target(row, targets):
        yield "period", Said("milestone_alone")


def _has_later_target(row: Row, targets: Sequence[Row]) -> bool:
    same = ("indicator", "dimension", "category")
    return any(
        one.get("kind") == "target"
        and all(one.get(key) == row.get(key) for key in same)
        and one.get("period")
        and last_day(str(one["period"])) > last_day(str(row["period"]))
        for one in targets
    )


def _own_code(row: Row, catalogue: set[str]) -> Iterator[Words]:
    if row.get("code") in catalogue:
        yield "code", Said("code_taken", code=row["code"])


def _main_point(row: Row, known: set[str]) -> Iterator[Words]:
    for key, text in row.items():
        if key.startswith("text_") and text:
            if fault := main_point_fault(text, known):
                yield key, fault
            elif (words := len(text.split())) > MOST_WORDS:
                yield key, Said("too_many_words", words=words, most=MOST_WORDS)


def _correction(row: Row) -> Iterator[Words]:
    source, entity = row.get("source") or "", row.get("entity") or ""
    sources = [name for name in source_names() if name != WORKBOOK]
    if source not in sources:
        yield "source", Said("no_source", source=source, known=sources)
        return
    entities = contract_of(source).entities
    if entity not in entities:
        yield "entity", Said("no_table", source=source, entity=entity, known=list(entities))
        return
    columns = list(entities[entity].columns)
    wrong = False
    for stem in ("match", "set"):
        for number in (1, 2, 3):
            key = f"{stem}_column_{number}"
            if (name := row.get(key)) and name not in columns:
                wrong = True
                yield key, Said("no_column", table=f"{source} {entity}", column=name, known=columns)
    if wrong:
        return
    try:
        correction_of(row)
    except ContractError as error:
        yield (
            str(error).split(": ", 1)[-1].replace(" Nothing was corrected; correct the row.", "").rstrip(".")
        )


def _city(row: Row, members: Members | None) -> Iterator[Words]:
    decision = row.get("decision") or ""
    if members and wrong_decision(decision, members):
        named = len(named_by(decision, members))
        none = Name(word=NOT_A_MEMBER)
        yield (
            "decision",
            Said("several_members", text=decision, count=named)
            if named
            else Said("no_member", text=decision, none=none),
        )


def _question(row: Row) -> Iterator[Words]:
    role, text = row.get("role"), row.get("question") or ""
    if role == "time_zone":
        try:
            zone_of(text)
        except (ValueError, MelError):
            yield "question", Said("no_zone")
    elif role == "fixed_language" and not (len(text) == 2 and text.isalpha()):
        yield "question", Said("two_letters")
    elif not normalize_answer(text):
        yield "question", Said("only_marks")


def _label(row: Row) -> Iterator[Words]:
    label = row.get("label") or ""
    if not normalize_answer(label):
        yield "label", Said("only_marks")
    if row.get("codebook"):
        return
    if row.get("scale") == "satisfaction" and is_bare(label):
        yield "label", Said("bare_figure")
    if "." in (row.get("score") or ""):
        yield "score", Said("whole_score")
