"""The form of the workbook with the organisation's own lists, and what a row is checked against when it is written."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from mel_pipeline.core.clock import utc_now
from mel_pipeline.core.contracts import contract_of, source_names
from mel_pipeline.core.errors import ContractError, MelError, WarehouseError
from mel_pipeline.core.normalize_text import is_bare, normalize_answer
from mel_pipeline.core.target_path import last_day
from mel_pipeline.ingest.corrections import correction_of
from mel_pipeline.ingest.identity import wrong_decision
from mel_pipeline.reporting.inputs.project_checks import project_checks, project_choices
from mel_pipeline.reporting.page.summary import main_point_fault
from mel_pipeline.sources.shared.zones import zone_of
from mel_pipeline.sources.workbook import versions
from mel_pipeline.sources.workbook.form import write
from mel_pipeline.sources.workbook.preview import Checks
from mel_pipeline.transform.catalogue import Catalogue, catalogue_of

if TYPE_CHECKING:
    from mel_pipeline.core.settings import Settings
    from mel_pipeline.ingest.identity import Members
    from mel_pipeline.sources.workbook.model import Row, Rows, Upload, Version

MOST_WORDS = 30  # of a main point; the template of the report has two lines for it
WORKBOOK = "workbook"  # the source that corrections do not apply to
_UNJUDGED = {"in_band": "is judged by its band", "context": "has no good direction"}


def form(settings: Settings, language: str) -> tuple[Version, bytes]:
    """The current version, kept from now on, and the form with its rows and the organisation's lists.

    Raises:
        MelError: the catalogue or a version cannot be read.
    """
    version = versions.issue(settings)
    members = _members(settings)
    content = write(
        version,
        language,
        choices(catalogue_of(settings), version, members, language, settings.currency),
        organisation=settings.organisation_name,
        made_at=utc_now(),
        proposals={"cities": _waiting_cities(settings, version, members)},
        languages=[one.strip() for one in settings.languages.split(",") if one.strip()]
        or ["en", "fr", "es", "ca"],
    )
    return version, content


def choices(
    catalogue: Catalogue, version: Version, members: Members | None, language: str, currency: str
) -> Mapping[str, Sequence[str]]:
    """Entries of the drop-down lists, by the names that ``sheets.yml`` gives them."""
    manual = [
        f"{row['code']} · {row.get(f'name_{language}') or row['name_en']}"
        for row in version.rows["manual_indicators"]
    ]
    known = [f"{one.id} · {one.name.by_language.get(language, one.name.en)}" for one in catalogue.indicators]
    contracts = [contract_of(name) for name in source_names() if name != WORKBOOK]
    roles = {one.owner_role for one in catalogue.indicators} | {"MEL lead"}
    return {
        "indicators": list(dict.fromkeys([*known, *manual])),
        "manual_indicators": manual,
        "dimensions": sorted({name for one in catalogue.indicators for name in one.disaggregations}),
        "units": sorted({one.unit for one in catalogue.indicators}),
        "lines": [str(line.number) for line in catalogue.lines_of_action],
        "roles": sorted(roles),
        "sources": [one.name for one in contracts],
        "entities": sorted({name for one in contracts for name in one.entities}),
        "members": sorted({one.name for one in members.all}) if members else [],
        **project_choices(version.rows.get("projects", ()), currency),
    }


def checks(settings: Settings, upload: Upload) -> Checks:
    """By sheet, what is wrong with a row that its own cells do not show. For ``preview``.

    Args:
        upload: indicators and targets that it states count as well.
    """
    catalogue = catalogue_of(settings)
    rows = _together(versions.current(settings).rows, upload)
    manual = {str(row["code"]) for row in rows["manual_indicators"] if row.get("code")}
    known = {one.id for one in catalogue.indicators}
    members = _members(settings)
    found: dict[str, Callable[[Row], Iterator[str]]] = {
        "targets": lambda row: _target(row, catalogue, known | manual, rows["targets"]),
        "manual_indicators": lambda row: _own_code(row, known - manual),
        "manual_figures": lambda row: _indicator(row, catalogue, manual, "on the sheet Manual indicators"),
        "earlier_figures": lambda row: _indicator(row, catalogue, known | manual, "in the list"),
        "main_points": lambda row: _main_point(row, known | manual),
        "corrections": _correction,
        "cities": lambda row: _city(row, members),
        "survey_questions": _question,
        "answer_scales": _label,
        **project_checks(catalogue, manual, rows.get("projects", [])),
    }
    return {name: _listed(check) for name, check in found.items()}


def _listed(check: Callable[[Row], Iterator[str]]) -> Callable[[Row], list[str]]:
    return lambda row: list(check(row))


def _together(current: Rows, upload: Upload) -> dict[str, list[Row]]:
    return {name: [*rows, *(one.row for one in upload.rows.get(name, ()))] for name, rows in current.items()}


def _indicator(row: Row, catalogue: Catalogue, known: set[str], where: str) -> Iterator[str]:
    code = row.get("indicator") or ""
    if code not in known:
        yield f"indicator: there is no {code} {where}. Choose one of those there are"
        return
    indicator = next((one for one in catalogue.indicators if one.id == code), None)
    dimension = row.get("dimension")
    is_free = indicator is None or indicator.stated  # what is counted by hand may be broken down by anything
    if not is_free and indicator and dimension and dimension not in indicator.disaggregations:
        listed = ", ".join(indicator.disaggregations) or "none"
        yield f"dimension: {code} has no disaggregation {dimension}. It has: {listed}"


def _target(row: Row, catalogue: Catalogue, known: set[str], targets: Sequence[Row]) -> Iterator[str]:
    yield from _indicator(row, catalogue, known, "in the list")
    indicator = next((one for one in catalogue.indicators if one.id == row.get("indicator")), None)
    if row.get("kind") == "baseline":
        return
    if indicator and indicator.direction in _UNJUDGED:
        yield f"kind: {indicator.id} {_UNJUDGED[indicator.direction]}, so a target has no meaning. Leave it out"
    if row.get("kind") == "milestone" and not _has_later_target(row, targets):
        yield "period: there is no target after this milestone. State the target as well, or make it one"


def _has_later_target(row: Row, targets: Sequence[Row]) -> bool:
    same = ("indicator", "dimension", "category")
    return any(
        one.get("kind") == "target"
        and all(one.get(key) == row.get(key) for key in same)
        and one.get("period")
        and last_day(str(one["period"])) > last_day(str(row["period"]))
        for one in targets
    )


def _own_code(row: Row, catalogue: set[str]) -> Iterator[str]:
    if row.get("code") in catalogue:
        yield f"code: {row['code']} is an indicator of the catalogue. Choose another code"


def _main_point(row: Row, known: set[str]) -> Iterator[str]:
    for key, text in row.items():
        if key.startswith("text_") and text:
            if fault := main_point_fault(text, known):
                yield f"{key}: {fault}"
            elif (words := len(text.split())) > MOST_WORDS:
                yield f"{key}: it has {words} words, and at most {MOST_WORDS} fit its place. Shorten it"


def _correction(row: Row) -> Iterator[str]:
    try:
        correction_of(row)
    except ContractError as error:
        yield (
            str(error).split(": ", 1)[-1].replace(" Nothing was corrected; correct the row.", "").rstrip(".")
        )


def _city(row: Row, members: Members | None) -> Iterator[str]:
    if members and (wrong := wrong_decision(row.get("decision") or "", members)):
        yield f"decision: {wrong.rstrip('.')}"


def _question(row: Row) -> Iterator[str]:
    role, text = row.get("role"), row.get("question") or ""
    if role == "time_zone":
        try:
            zone_of(text)
        except (ValueError, MelError):
            yield "question: it is no time zone. Write it like Africa/Nairobi"
    elif role == "fixed_language" and not (len(text) == 2 and text.isalpha()):
        yield "question: a language is two letters, such as fr"
    elif not normalize_answer(text):
        yield "question: it is empty once punctuation is left out. Write what the export shows"


def _label(row: Row) -> Iterator[str]:
    label = row.get("label") or ""
    if not normalize_answer(label):
        yield "label: it is empty once punctuation is left out. Write what the export shows"
    if row.get("codebook"):
        return
    if row.get("scale") == "satisfaction" and is_bare(label):
        yield "label: a bare figure is best in one survey and worst in another. Name the codebook it belongs to"
    if "." in (row.get("score") or ""):
        yield "score: of a label for all surveys, the score is a whole number from 1 to 5"


def _members(settings: Settings) -> Members | None:
    """The members of the CRM; None before they are loaded."""
    from mel_pipeline.ingest.city_names import read_members
    from mel_pipeline.ingest.identity import load_aliases
    from mel_pipeline.warehouse import Warehouse

    try:
        return read_members(Warehouse(settings.database_url, settings.lock_wait_seconds), load_aliases())
    except (ContractError, WarehouseError):
        return None


def _waiting_cities(settings: Settings, version: Version, members: Members | None) -> list[Row]:
    """Cities without a decision, as rows to be completed."""
    if members is None:
        return []
    from mel_pipeline.ingest.city_names import review_in, undecided
    from mel_pipeline.warehouse import Warehouse

    warehouse = Warehouse(settings.database_url, settings.lock_wait_seconds)
    lines = undecided(warehouse, members, review_in(version, members))
    return [{"answer": line.answer.text, "country": line.answer.country or None} for line in lines]
