"""Survey exports as Zoho Survey writes them, dropped into a folder. Two layouts, with their traps."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from mel_pipeline.core.periods import Quarter, quarters
from mel_pipeline.sandbox.dropped import drop
from mel_pipeline.sandbox.organisation import FIRST_YEAR, Organisation
from mel_pipeline.sandbox.organisation.activity import Participation

ENGLISH: dict[str, Any] = {
    "header": ["Response ID", "Response Status", "Collector Name", "Response Start Time", "Response End Time",
               "Time Taken to Respond", "IP Address", "User Agent", "Email address", "Response URL", "event_code", "Language",
               "Net Promoter Score (out of 10)", "Overall, how satisfied are you with the session?",
               "How likely are you to recommend the session to a colleague?", "How do you describe your gender?",
               "Was the format right?", "What should we keep or change?"],
    "scale": ["Very dissatisfied", "Dissatisfied", "Neither satisfied nor dissatisfied", "Satisfied", "Very satisfied"],
    "none": "No opinion", "status": ("Completed", "Partial"), "stamp": "%b %d, %Y %H:%M:%S", "bom": "", "language": "en",
    "gender": {"Woman": "Woman", "Man": "Man", "Non-binary": "Non-binary", "Self-described": "Non-binary", "Prefers not to say": "Prefer not to say", None: ""},
    "comment": ["More time for exchange, please.", "Clear and practical.", "=SUM(A1:A9) is how my day felt", ""], "yes": ["Yes", "No"],
}  # fmt: skip
SPANISH: dict[str, Any] = {
    "header": ["ID de respuesta", "Estado de respuesta", "Recopilador", "Start time", "Hora de finalización",
               "Tiempo empleado", "Dirección IP", "Agente Usuario", "Email address", "URL de la encuesta", "event_code", "Idioma",
               "Net Promoter Score (de un total de 10)", "En general, ¿qué tan satisfecho/a está con la sesión?",
               "¿Qué probabilidad hay de que recomiende la sesión a un colega?", "¿Cómo describe su género?",
               "¿El formato fue adecuado?", "¿Qué deberíamos mantener o cambiar?"],
    "scale": ["Muy insatisfecho/a", "Insatisfecho/a", "Ni satisfecho/a ni insatisfecho/a", "Satisfecho/a", "Muy satisfecho/a"],
    "none": "No conozco", "status": ("Completado", "Parcial"), "stamp": "%d/%m/%Y %H:%M", "bom": "\ufeff", "language": "es",
    "gender": {"Woman": "Mujer", "Man": "Hombre", "Non-binary": "No binario", "Self-described": "No binario", "Prefers not to say": "Prefiero no decirlo", None: ""},
    "comment": ["Más tiempo para el intercambio.", "Muy útil; gracias.", "", ""], "yes": ["Sí", "No"],
}  # fmt: skip
WEIGHTS = [2, 4, 9, 41, 44]


def write_survey_exports(folder: Path, organisation: Organisation) -> list[Path]:
    """Write one file per quarter and kind of event; unchanged files are left alone."""
    return drop(folder, exports(organisation))


def exports(organisation: Organisation) -> Iterator[tuple[str, bytes]]:
    """File names and bytes."""
    genders = {contact.id: contact.gender for contact in organisation.contacts}
    invited: defaultdict[tuple[str, Quarter], list[Participation]] = defaultdict(list)
    for row in organisation.participations:
        if row.invited and row.settled <= organisation.now:
            invited[row.event.kind, Quarter.of(row.event.start.date())].append(row)
    for quarter in quarters(Quarter(FIRST_YEAR, 1), Quarter.of(organisation.today)):
        for kind, label, layout in (
            ("Solutions Lab", "solutions-labs", ENGLISH),
            ("Training", "trainings", SPANISH),
        ):
            answers = (_response(row, layout, genders) for row in invited[kind, quarter])
            rows = [answer[1] for answer in answers if answer is not None and answer[0] <= organisation.now]
            if not rows:
                continue
            ending = "-es" if layout is SPANISH else ""
            yield f"{label}-feedback-{quarter}{ending}.csv", _as_csv(layout, rows)
            if kind == "Solutions Lab" and quarter == Quarter(2024, 2):
                # Exported a second time: the same responses, one edited in between.
                again = [list(row) for row in rows]
                again[0][4] = _later(again[0][4], str(layout["stamp"]))
                again[0][17] = "Edited: more time for exchange, please."
                yield f"{label}-feedback-{quarter}-again.csv", _as_csv(layout, again)


def _response(
    row: Participation, layout: dict[str, Any], genders: dict[str, str | None]
) -> tuple[datetime, list[str]] | None:
    """One person's response, or None: four in ten respond."""
    rng = Random(f"response {row.id}")
    if rng.random() > 0.42:
        return None
    begun = row.event.end + timedelta(hours=rng.randint(2, 90), minutes=rng.randint(0, 59))
    ended = begun + timedelta(seconds=rng.randint(70, 600))
    partial = rng.random() < 0.05
    score = rng.choices(range(5), WEIGHTS)[0]
    satisfaction = (
        ""
        if partial and rng.random() < 0.5
        else layout["none"]
        if rng.random() < 0.03
        else layout["scale"][score]
    )
    promoter = "" if partial else str(min(10, max(0, round(rng.gauss(5.4 + 0.95 * score, 1.2)))))
    if row.event.code == "TRN-2024-Q3-01" and rng.random() < 0.08:
        promoter = "11"  # outside the scale: the cell is quarantined
    number = int(row.id) % 10**9
    stamp = layout["stamp"]
    cells = [
        f"SR{number:09}", layout["status"][1 if partial else 0], "E-mail invitation", begun.strftime(stamp), ended.strftime(stamp),
        str(ended - begun), f"192.0.2.{number % 254 + 1}", "Mozilla/5.0 (X11; Linux x86_64)", f"respondent{number}@example.org",
        f"https://survey.example.org/r/{number}", row.event.code, layout["language"], promoter, satisfaction, "",
        "" if partial else layout["gender"][genders.get(row.contact or "")], rng.choice(layout["yes"]), rng.choice(layout["comment"]),
    ]  # fmt: skip
    return ended, cells


def _later(stamp: str, form: str) -> str:
    return (datetime.strptime(stamp, form) + timedelta(days=1)).strftime(form)


def _as_csv(layout: dict[str, Any], rows: list[list[str]]) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(layout["header"])
    writer.writerows(rows)
    return f"{layout['bom']}{out.getvalue()}".encode()
