"""Which newsletters to ask for: those sent since the last load, and those whose opens and clicks still come in."""

from __future__ import annotations

import json
from datetime import date, timedelta

from mel_pipeline.contracts import EntityContract, fingerprint_of

STILL_MOVING = timedelta(days=30)  # after sending


def sent_since(cursor: str | None, contract: EntityContract, beginning: date) -> date:
    """The first day of sending to ask for. Starts anew when the contract has changed."""
    stored = json.loads(cursor) if cursor else {}
    if stored.get("rules") != fingerprint_of(contract):
        return beginning
    return max(beginning, date.fromisoformat(stored["until"]) - STILL_MOVING)


def asked_until(contract: EntityContract, today: date) -> str:
    """The cursor after a load of today."""
    return json.dumps({"rules": fingerprint_of(contract), "until": today.isoformat()})
