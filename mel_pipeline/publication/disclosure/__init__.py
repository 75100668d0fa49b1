"""Withhold figures about few people, and others with them, so that none can be derived by subtraction.

Pure: a frame of figures in, the same frame with some withheld out. No database here.
"""

from mel_pipeline.publication.disclosure.attack import Interval, audit
from mel_pipeline.publication.disclosure.editions import Visible, newly_exposed, visible
from mel_pipeline.publication.disclosure.protection import Protected, exposed, protect
from mel_pipeline.publication.disclosure.settling import Block
from mel_pipeline.publication.disclosure.structure import Sensitivity

__all__ = [
    "Block",
    "Interval",
    "Protected",
    "Sensitivity",
    "Visible",
    "audit",
    "exposed",
    "newly_exposed",
    "protect",
    "visible",
]
