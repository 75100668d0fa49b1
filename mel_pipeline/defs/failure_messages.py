"""Why a step failed, as a readable message."""

from __future__ import annotations

from typing import Any

from mel_pipeline.core.disk_trouble import NO_SPACE, says_full_disk


def failure_message(event: Any) -> str | None:
    """The description of a ``dg.Failure``, else the type and text of the cause; None for a failed check, which has
    its own message."""
    error = event.step_failure_data.error
    met = error
    while met is not None:
        if says_full_disk(met.message):
            return f"{event.step_key}: {NO_SPACE}"
        met = met.cause or met.context
    stated = event.step_failure_data.user_failure_data
    if stated is not None and stated.description:
        return str(stated.description)
    if error is None:
        return None
    cause = error.cause or error
    if cause.cls_name == "DagsterAssetCheckFailedError":
        return None
    return f"{event.step_key}: {cause.message.strip()}"
