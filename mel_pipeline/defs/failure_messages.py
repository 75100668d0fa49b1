"""Why a step failed, as a readable message."""

from __future__ import annotations

from typing import Any


def failure_message(event: Any) -> str | None:
    """The description of a ``dg.Failure``, else the type and text of the cause; None for a failed check, which has
    its own message."""
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
