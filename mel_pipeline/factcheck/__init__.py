"""Numbers of a draft report beside published figures: agrees, disagrees, unknown. Reads drafts, never the warehouse."""

from mel_pipeline.factcheck.checking import Line, Published, Report, check
from mel_pipeline.factcheck.reading import Draft, DraftError, read_draft

__all__ = ["Draft", "DraftError", "Line", "Published", "Report", "check", "read_draft"]
