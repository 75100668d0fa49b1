"""Compare the numbers of a draft report with the published figures: agrees, disagrees, unknown."""

from mel_pipeline.factcheck.checking import Line, Published, Report, check
from mel_pipeline.factcheck.reading import Draft, DraftError, read_draft

__all__ = ["Draft", "DraftError", "Line", "Published", "Report", "check", "read_draft"]
