"""Rows of a version as rows of a raw table. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mel_pipeline.core.contracts import EntityContract
    from mel_pipeline.sources.workbook.model import Version


def raw_rows(version: Version, entity: str, contract: EntityContract) -> list[dict[str, str | None]]:
    """The rows of a sheet, each with where it comes from."""
    return [
        {**row, "_source_ref": version.reference(contract.title, row)} for row in version.rows.get(entity, ())
    ]
