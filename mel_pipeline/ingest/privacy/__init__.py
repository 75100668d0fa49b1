"""Personal data: people are keyed pseudonyms, kept no longer than needed, and removed on request."""

from mel_pipeline.ingest.privacy.pseudonyms import Pseudonyms, load_pseudonyms

__all__ = ["Pseudonyms", "load_pseudonyms"]
