"""Baselines, targets and meanings of answers as the workbook states them, in the form the catalogue validates."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from mel_pipeline.core.normalize_text import is_bare
from mel_pipeline.core.target_path import last_day

if TYPE_CHECKING:
    from mel_pipeline.sources.workbook.model import Row, Version

PLACE = "workbook (Targets)"  # for messages: rows that came through the form were checked there


def stated_of(version: Version) -> dict[str, dict[str, Any]]:
    """By indicator: its baseline, its targets with milestones and revisions, and those of its parts.

    A value that was changed in the workbook is a revision: what the target said before stays as stated until then.
    """
    found: dict[str, dict[str, Any]] = {}
    rows = version.rows.get("targets", ())
    for row in rows:
        of = found.setdefault(str(row["indicator"]), {"targets": [], "parts": []})
        if day := row.get("assessed_on"):
            of["assessed_on"] = max(day, of.get("assessed_on", day))
    for (indicator, *part), mine in _by_part(rows).items():
        said = _baseline_and_targets(mine, version)
        if any(part):
            found[indicator]["parts"].append({"dimension": part[0], "category": part[1]} | said)
        else:
            found[indicator] |= said
    return found


def _by_part(rows: Sequence[Row]) -> dict[tuple[str, str, str], list[Row]]:
    """By indicator, dimension and category; the last two are empty for the whole."""
    found: dict[tuple[str, str, str], list[Row]] = {}
    for row in rows:
        part = (str(row["indicator"]), str(row.get("dimension") or ""), str(row.get("category") or ""))
        found.setdefault(part, []).append(row)
    return found


def _baseline_and_targets(rows: Sequence[Row], version: Version) -> dict[str, Any]:
    said: dict[str, Any] = {"targets": []}
    baselines = [row for row in rows if row["kind"] == "baseline"]
    for row in sorted(baselines, key=lambda one: last_day(str(one["period"]))):  # the latest counts
        said["baseline"] = {
            "value": row.get("value"), "period": row["period"], "quality": _texts(row),
        }  # fmt: skip
    for row in rows:
        if row["kind"] == "target":
            said["targets"].append(_target(row, version.earlier.get(str(row["id"]), ())))
    for row in rows:
        if row["kind"] == "milestone":
            _add_milestone(said["targets"], row)
    return said


def _target(row: Row, earlier: Sequence[Row]) -> dict[str, Any]:
    states = [*earlier, row]
    first = states[0]
    return {
        "period": row["period"],
        "value": first.get("value"),
        "origin": _texts(first) or "",
        "milestones": [],
        "revisions": [
            {"date": _decided(before, after), "value": after.get("value"), "reason": _texts(after) or ""}
            for before, after in pairwise(states)
        ],
    }


def _decided(before: Row, after: Row) -> str | None:
    """When a value was revised: on the day stated with it, or when the workbook was accepted."""
    day = after.get("stated_on")
    return day if day and day != before.get("stated_on") else before.get("until")


def _add_milestone(targets: list[dict[str, Any]], row: Row) -> None:
    """To the target that follows it; one that none follows is a target itself."""
    due = last_day(str(row["period"]))
    later = [target for target in targets if last_day(target["period"]) > due] or [
        target for target in targets if last_day(target["period"]) == due
    ]  # one of the same day is refused later, with a sentence
    if later:
        target = min(later, key=lambda one: last_day(one["period"]))
        step = {"date": row["period"], "value": row.get("value"), "reason": _texts(row) or ""}
        target["milestones"].append(step)
    else:
        targets.append(_target(row, ()))


def labels_of(version: Version) -> Iterator[dict[str, Any]]:
    """One entry a label that means the same in every survey.

    A bare figure is not taken as a label of satisfaction: 5 is the best in one survey and the worst in another, so
    each survey's codebook says which.
    """
    for row in version.rows.get("answer_scales", ()):
        label = str(row["label"])
        if row.get("codebook") or (row["scale"] == "satisfaction" and is_bare(label)):
            continue
        kind = "non_answer" if row.get("non_answer") == "yes" else "answer"
        entry = {"scale": row["scale"], "kind": kind, "label": label.strip().lower()}
        yield entry | {key: row[key] for key in ("score", "code") if row.get(key)}


def _texts(row: Row) -> dict[str, str] | None:
    texts = {
        key.removeprefix("reason_"): value
        for key, value in row.items()
        if key.startswith("reason_") and value
    }
    return texts or None
