"""How the form looks: colours, formats, widths, and what its protection allows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mel_pipeline.sources.workbook.sheets import FormColumn

MARK, README, LISTS = "mel", "readme", "Lists"
ROWS_TO_FILL = 300
LINE = 13.5  # points
COMMENT = {"x_scale": 2.2, "y_scale": 1.1, "author": "", "color": "#FFF8E1", "font_size": 9}
PROTECTION = dict.fromkeys(
    [
        *(
            "format_cells",
            "format_columns",
            "format_rows",
            "insert_rows",
            "delete_rows",
            "sort",
            "autofilter",
        ),
        *("select_locked_cells", "select_unlocked_cells"),
    ],
    True,
)
_INK, _QUIET, _LINE = "#1B2A41", "#7A8699", "#C9D1DB"
_HEAD, _OPTIONAL, _ID, _MISSING = "#1F4E79", "#5B7FA3", "#F0F2F5", "#FDE9C8"
_FONT = {"font_name": "Arial", "font_size": 10}
_CELL = {**_FONT, "valign": "top", "locked": False, "border": 1, "border_color": _LINE}
_NUMBER_FORMATS = {"number": "General", "integer": "0", "date": "yyyy-mm-dd"}


class Formats:
    """The formats of one workbook."""

    def __init__(self, book: Any) -> None:
        def add(**properties: Any) -> Any:
            return book.add_format({**_FONT, "font_color": _INK, **properties})

        head = {"bold": True, "font_color": "#FFFFFF", "text_wrap": True, "valign": "vcenter", "border": 1}
        self.title = add(bold=True, font_size=16, valign="vcenter")
        self.prose = add(text_wrap=True, valign="top")
        self.label = add(bold=True, valign="top")
        self.label_right = add(bold=True, align="right", valign="top")
        self.count = add(align="right", valign="top")
        self.link = add(font_color="#1F4E79", underline=1, valign="top")
        self.quiet = add(font_color=_QUIET, italic=True)
        self.heading = add(**head, bg_color=_HEAD, border_color=_HEAD)
        self.optional_heading = add(**head, bg_color=_OPTIONAL, border_color=_OPTIONAL)
        self.quiet_heading = add(**{**head, "font_color": _QUIET}, bg_color=_ID, border_color=_LINE)
        self.number_of_row = book.add_format(
            {**_CELL, "font_color": _QUIET, "bg_color": _ID, "font_size": 8, "num_format": "@"}
        )
        self.proposal = book.add_format(
            {**_CELL, "font_color": _QUIET, "bg_color": _ID, "text_wrap": True, "num_format": "@"}
        )
        self.missing = book.add_format({"bg_color": _MISSING})
        self._text = book.add_format({**_CELL, "font_color": _INK, "num_format": "@", "text_wrap": True})
        self._others = {
            kind: book.add_format(
                {**_CELL, "font_color": _INK, "num_format": form, "align": "right", "indent": 1}
            )
            for kind, form in _NUMBER_FORMATS.items()
        }

    def of(self, column: FormColumn) -> Any:
        """Of a column's cells; those of texts keep what looks like a number or a day as it is written."""
        return self._others.get(column.kind, self._text)


def cell_width(column: FormColumn, heading: str) -> int:
    """Characters: as ``sheets.yml`` says, but no word of the heading is cut."""
    longest = max(len(word) for word in heading.split())
    return max(column.width, longest + 4)
