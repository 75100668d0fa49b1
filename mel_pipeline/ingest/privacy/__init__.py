"""Personal data: stored under keyed pseudonyms, kept no longer than needed, removed on request."""

from mel_pipeline.ingest.privacy.pseudonyms import Pseudonyms, load_pseudonyms

__all__ = ["Pseudonyms", "load_pseudonyms"]
