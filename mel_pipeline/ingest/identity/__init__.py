"""Match an answered city with a member: exact names, known aliases and decisions by a person; no guessing.

No tables and no settings here: members and answers are passed in. Similarity only makes suggestions.
"""

from mel_pipeline.ingest.identity.aliases import Aliases, load_aliases
from mel_pipeline.ingest.identity.cities import Match, Member, Members, match
from mel_pipeline.ingest.identity.keys import city_key
from mel_pipeline.ingest.identity.review import (
    NOT_A_MEMBER,
    Answer,
    Review,
    named_by,
    read_review,
    review_of,
    wrong_decision,
)

__all__ = [
    "NOT_A_MEMBER",
    "Aliases",
    "Answer",
    "Match",
    "Member",
    "Members",
    "Review",
    "city_key",
    "load_aliases",
    "match",
    "named_by",
    "read_review",
    "review_of",
    "wrong_decision",
]
