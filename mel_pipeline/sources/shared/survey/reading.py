"""Read a dropped survey export in chunks: layout by its first rows, one date order, flat memory."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from itertools import chain, islice, takewhile
from pathlib import PurePath

import pandas as pd

from mel_pipeline.sources.shared.dates import Order, has_two_readings, has_year_first, order_of
from mel_pipeline.sources.shared.files import (
    MOST_TITLES,
    DropFile,
    FileRefusedError,
    Table,
    is_title,
    open_tables,
)
from mel_pipeline.sources.shared.survey.advice import counted
from mel_pipeline.sources.shared.survey.binding import questions_of_form
from mel_pipeline.sources.shared.survey.codebook import Codebook
from mel_pipeline.sources.shared.survey.joining import Join, require_branches
from mel_pipeline.sources.shared.survey.model import Answers, Layout, Sheet
from mel_pipeline.sources.shared.survey.profile import Profile
from mel_pipeline.sources.shared.survey.recognise import recognise
from mel_pipeline.sources.shared.survey.repeats import joined, main_and_repeats
from mel_pipeline.sources.shared.survey.screening import marking_columns, screened

SOURCE = "survey_files"
CHUNK = 20_000  # rows in memory at a time
FIRST_ROWS = 25
_WHOLLY_CHECKED = 200_000  # rows; a spreadsheet that a person saved again has fewer
_REMEDY = ", or set date_order in a codebook of this survey, or MEL_SURVEY_FILES_DATE_ORDER"


class Export:
    """An open export."""

    def __init__(
        self, file: DropFile, tables: Mapping[str, Table], profiles: Sequence[Profile], survey: str | None
    ) -> None:
        main, groups = main_and_repeats(tables)
        table, self.sheet, self.layout = _recognised(file.name, tables[main], profiles)
        self.file = file
        self.survey = survey or PurePath(file.name).stem
        above = f", {counted(table.above, 'line', 'lines')} above the header left out" if table.above else ""
        self.how = f"{table.how}{above}"
        if groups:
            self.how += f", with repeated groups {', '.join(groups)}"
        self._table = table
        self._repeats = joined(table, groups)
        self.responses = table.count - (self.layout.header_rows - 1)
        if self.responses < 1:
            raise FileRefusedError("The file has headers and no responses. Export it again, or remove it.")

    @property
    def questions(self) -> list[str]:
        """The texts of its questions."""
        return questions_of_form(self.layout.questions)

    def order(self, book: Codebook, usual: Order | None) -> Order | None:
        """The order of its dates: as the layout says, or all dates together, or as declared.

        None if the first rows have no dates that could be read in two ways; no later one is then guessed.

        Raises:
            FileRefusedError: nothing decides it, or dates contradict each other.
        """
        moments = [
            column
            for column, question in enumerate(self.layout.questions)
            if question.builtin in ("started_at", "completed_at")
        ]
        first = self.sheet.first_rows[self.layout.header_rows :]
        if not moments:
            return None
        if self.responses <= _WHOLLY_CHECKED:
            self._require_one_form(moments)
        if not any(has_two_readings(row[column]) for row in first for column in moments):
            return None
        if self.layout.date_order:
            return self.layout.date_order
        with closing(self._frames(columns=moments)) as frames:
            texts = chain.from_iterable(frame[column].unique() for frame in frames for column in frame)
            return order_of(texts, book.date_order or usual, _REMEDY)

    def _require_one_form(self, moments: Sequence[int]) -> None:
        """Refuse a column that a spreadsheet has half converted: what it took for dates has day and month swapped."""
        with closing(self._frames(columns=moments)) as frames:
            converted: dict[int, bool] = {}
            for frame in frames:
                for column in moments:
                    texts = pd.unique(frame[column].str.strip())
                    for year_first in {has_year_first(text) for text in texts if _is_numeric_date(text)}:
                        if converted.setdefault(column, year_first) != year_first:
                            raise FileRefusedError(
                                f"Column {column + 1} holds dates that a spreadsheet has converted, and dates as text"
                                " with the year last. It swaps day and month of those it converts. Export the file"
                                " again from the tool, and do not open it before you put it into the folder."
                            )

    def chunks(self, order: Order | None, columns: Sequence[int] | None = None) -> Generator[Answers]:
        """Its responses, in order; of all columns, or of some."""
        origin = f"file {self.file.digest}"
        headers = self.sheet.first_rows[: self.layout.header_rows]
        wanted = None if columns is None else sorted({*columns, *marking_columns(self.layout)})
        with closing(self._frames(wanted)) as frames:
            for frame in frames:
                answers = Answers(
                    SOURCE, self.survey, origin, self.file.name, self.layout, frame, order, self._repeats
                )
                yield screened(answers, headers, is_whole=columns is None)

    def warnings_of(self, joins: Sequence[Join], book: Codebook) -> list[str]:
        """Answers that do not count because columns that belong together contradict each other.

        Raises:
            FileRefusedError: they are several questions.
        """
        if not joins:
            return []
        columns = sorted({column for join in joins for column in join.columns})
        missing = self.layout.missing | frozenset(book.missing)
        with closing(self._frames(columns=columns)) as frames:
            chunks = (Answers(SOURCE, self.survey, "", "", self.layout, frame) for frame in frames)
            return require_branches(chunks, joins, missing)

    def _frames(self, columns: Sequence[int] | None = None) -> Generator[pd.DataFrame]:
        return self._table.frames(CHUNK, skip=self.layout.header_rows - 1, columns=columns)


def _recognised(name: str, table: Table, profiles: Sequence[Profile]) -> tuple[Table, Sheet, Layout]:
    """The table, its first rows and its layout; below the rows of a title, if there are any.

    Raises:
        FileRefusedError: no tool and no profile fits.
    """
    rows = list(islice(chain([table.header], table.rows()), FIRST_ROWS + MOST_TITLES))
    titles = len(list(takewhile(is_title, rows)))
    try:
        sheet = Sheet(name, rows[:FIRST_ROWS])
        return table, sheet, recognise(sheet, profiles)
    except FileRefusedError as error:
        if not titles or titles == len(rows):
            raise _below_title(table.above, error) from None
    table = table.below(titles)
    sheet = Sheet(name, [table.header, *rows[titles + 1 :]][:FIRST_ROWS])
    try:
        return table, sheet, recognise(sheet, profiles)
    except FileRefusedError as error:
        raise _below_title(table.above, error) from None


def _below_title(lines: int, error: FileRefusedError) -> FileRefusedError:
    """Why a table is refused; it may stand below rows that are no header."""
    if not lines:
        return error
    above = "The first row looks" if lines == 1 else f"The first {lines} rows look"
    return FileRefusedError(f"{above} like a title, and the row below is no header that is known. {error}")


def _is_numeric_date(text: str) -> bool:
    return has_two_readings(text) or has_year_first(text)


@contextmanager
def open_export(
    file: DropFile,
    profiles: Sequence[Profile],
    fallback: str | None,
    survey: str | None = None,
    groups: Mapping[str, DropFile] | None = None,
) -> Iterator[Export]:
    """Open an export; its answers can be read only inside the ``with`` block.

    Args:
        fallback: encoding of files that are not in UTF-8, if configured.
        survey: its name, where that is not the file's.
        groups: repeated groups in files of their own, by name.

    Raises:
        FileRefusedError: it cannot be read, or fits no tool.
        TransientSourceError: it changed while it was being read.
    """
    with ExitStack() as opened:
        tables = dict(opened.enter_context(open_tables(file, fallback)))
        for name, group in (groups or {}).items():
            (tables[name],) = opened.enter_context(open_tables(group, fallback)).values()
        yield Export(file, tables, profiles, survey)
