"""Names and definitions in every language, as columns: ``name_en``, ``name_fr``. Rows of a language in, columns out."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from mel_pipeline.warehouse import Warehouse


def read_translated(
    warehouse: Warehouse, query: str, subject: str, key: str, order: Sequence[str] = ()
) -> pd.DataFrame:
    """A dimension with its texts in every language. Arguments as ``with_translations``."""
    found = warehouse.read("select subject, code, field, language, text from dim_translation")
    return with_translations(warehouse.read(query), found, subject, key, order)


def with_translations(
    frame: pd.DataFrame, translations: pd.DataFrame, subject: str, key: str, order: Sequence[str] = ()
) -> pd.DataFrame:
    """The frame with a column for each text and language beside the English ones, which end in ``_en``.

    Args:
        translations: subject, code, field, language, text.
        subject: what they call the rows of the frame; ``key``: the column with their code.
        order: languages whose columns come first, in this order.
    """
    mine = translations[translations["subject"] == subject]
    codes = frame[key].astype(str)
    fields = [str(name).removesuffix("_en") for name in frame.columns if str(name).endswith("_en")]
    for language in sorted(set(mine["language"]), key=lambda code: _place(code, order)):
        for field in fields:
            texts = mine[(mine["language"] == language) & (mine["field"] == field)]
            column = codes.map(dict(zip(texts["code"], texts["text"], strict=True)))
            frame[f"{field}_{language}"] = column.astype(object).where(column.notna(), None)
    return frame


def _place(code: str, order: Sequence[str]) -> tuple[int, str]:
    return (order.index(code) if code in order else len(order), code)
