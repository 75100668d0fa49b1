"""Table files exported by hand (CSV, XLSX, zip): read whole or refused. For every source; no source by name here."""

from mel_pipeline.sources.shared.files.archive import unpacked
from mel_pipeline.sources.shared.files.folder import (
    SETTLE_SECONDS,
    DropFile,
    dropped,
    files_in,
    other_entries,
    readable_files,
)
from mel_pipeline.sources.shared.files.opening import open_table, open_tables
from mel_pipeline.sources.shared.files.sections import Row, open_sections
from mel_pipeline.sources.shared.files.table import (
    MOST_TITLES,
    FileRefusedError,
    Table,
    is_title,
    read_table,
)

__all__ = [
    "MOST_TITLES",
    "SETTLE_SECONDS",
    "DropFile",
    "FileRefusedError",
    "Row",
    "Table",
    "dropped",
    "files_in",
    "is_title",
    "open_sections",
    "open_table",
    "open_tables",
    "other_entries",
    "read_table",
    "readable_files",
    "unpacked",
]
