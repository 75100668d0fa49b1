"""Why a step failed, in words for a person."""

from __future__ import annotations

from typing import Any


def failure_message(event: Any) -> str | None:
    """Of a Failure its description, of anything else the type and text of the cause; None for a failed check,
    which has a sentence of its own."""
    error = event.step_failure_data.error
    stated = event.step_failure_data.user_failure_data
    if stated is not None and stated.description:
        return str(stated.description)
    if error is None:
        return None
    cause = error.cause or error
    if cause.cls_name == "DagsterAssetCheckFailedError":
        return None
    return f"{event.step_key}: {cause.message.strip()}"
