"""Withhold figures about few people, and others with them, so that none can be derived by subtraction.

Pure: a frame of figures in, the same frame with some withheld out. No database here.
"""

from mel_pipeline.publication.disclosure.attack import Interval, audit
from mel_pipeline.publication.disclosure.protection import Protected, protect
from mel_pipeline.publication.disclosure.structure import Sensitivity

__all__ = ["Interval", "Protected", "Sensitivity", "audit", "protect"]
