"""Zoho Survey (CSV): Spanish UI whose header is half translated, English UI, English webhook, French UI."""

from __future__ import annotations

from mel_pipeline.core.normalize_text import normalize_text
from mel_pipeline.sources.shared.survey.headers import questions_of
from mel_pipeline.sources.shared.survey.model import Builtin, Layout, Sheet

TOOL = "zoho_survey"
_NAMES: dict[Builtin, tuple[str, ...]] = {
    "response_id": ("Response ID", "ID de respuesta", "ID de la réponse", "Identifiant de réponse"),
    "status": (
        "Response Status", "Status", "Estado de respuesta", "Estado de la respuesta", "Statut de la réponse",
        "État de la réponse",
    ),
    "started_at": ("Response Start Time", "Start time", "Started time", "Hora de inicio", "Heure de début"),
    "completed_at": (
        "Response End Time", "End time", "Completed time", "Completion time", "Hora de finalización",
        "Heure de fin",
    ),
    "language": ("Language", "Idioma", "Langue"),
    "recommendation": (  # the value is here even if the question has its own column, which is then empty
        "Net Promoter Score (out of 10)", "Net Promoter Score (de un total de 10)",
        "Net Promoter Score (sur 10)", "Net Promoter Score", "NPS",
    ),
    "personal": (
        "IP Address", "Dirección IP", "Adresse IP", "User Agent", "Agente Usuario", "Agente de usuario",
        "Agent utilisateur", "Email address", "Email", "Correo electrónico",
        "Dirección de correo electrónico", "Adresse e-mail", "Response URL", "URL de la encuesta",
        "URL de la respuesta", "URL de la réponse", "Respondent name",
        "Collector ID", "ID del recopilador",  # a personal invitation has its own collector
    ),
    "ignored": (
        "Collector Name", "Collector", "Recopilador", "Collecteur", "Time Taken to Respond", "Time taken",
        "Tiempo empleado", "Temps passé", "CSAT Score", "Puntuación CSAT",
    ),
}  # fmt: skip
_BUILTINS: dict[str, Builtin] = {
    normalize_text(name): builtin for builtin, names in _NAMES.items() for name in names
}
_COMPLETED = {"completed", "complete", "completado", "completada", "completo", "termine", "terminee"}
_PARTIAL = {"partial", "partially completed", "parcial", "parcialmente completado", "partiel", "partielle"}


def recognise(sheet: Sheet) -> Layout | None:
    """An id and a status of the response, in the words of one of its languages."""
    header = sheet.first_rows[0] if sheet.first_rows else []
    names = {normalize_text(name) for name in header}
    ids = {normalize_text(name) for name in _NAMES["response_id"]}
    if not names & ids or not names & {normalize_text(name) for name in _NAMES["status"]}:
        return None
    return Layout(
        TOOL,
        questions_of(header, _BUILTINS),
        completed=frozenset(_COMPLETED),
        partial=frozenset(_PARTIAL),
        notes=("Zoho Survey: by the response's id and status.",),
    )
