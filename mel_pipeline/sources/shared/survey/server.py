"""What form-server sources share: forms read with their own codebooks, complete paging, rejections reported."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import datetime

from mel_pipeline.core.contracts import EntityContract
from mel_pipeline.core.errors import ContractError, TransientSourceError
from mel_pipeline.core.settings import Settings
from mel_pipeline.sources.shared.base import Batch, Load, Pull, Rejected, frame_of
from mel_pipeline.sources.shared.files import FileRefusedError
from mel_pipeline.sources.shared.survey.binding import questions_of_form
from mel_pipeline.sources.shared.survey.books import codebooks_of
from mel_pipeline.sources.shared.survey.codebook import BrokenCodebook, codebook_for
from mel_pipeline.sources.shared.survey.consent import Consents
from mel_pipeline.sources.shared.survey.joining import require_branches
from mel_pipeline.sources.shared.survey.looks import asked, unread_looks
from mel_pipeline.sources.shared.survey.plan import Plan, plan_of
from mel_pipeline.sources.shared.survey.proposing import Found, unknown_answers, unknown_questions
from mel_pipeline.sources.shared.survey.responses import batches, scale_in
from mel_pipeline.sources.shared.survey.scale import Scale
from mel_pipeline.sources.shared.survey.screening import in_words
from mel_pipeline.sources.shared.survey.submissions import Form, Record, answers_of

_SHOWN = 5
Pages = Iterable[tuple[list[Record], int]]  # submissions, and how many there are in all


class Server:
    """Reads forms of one server into responses."""

    def __init__(self, title: str, key: str, settings: Settings, rejected: Callable[[Record], bool]) -> None:
        self._title, self._key, self._rejected = title, key, rejected
        self._own = codebooks_of(settings)
        self._had: dict[str, set[str]] = {}
        self.proposals: list[Found] = []
        self.warnings = [book.fault for book in self._own if isinstance(book, BrokenCodebook)]

    def pull(self, load: Load, forms: Iterable[str], ask: Callable[[str], tuple[Form, Pages]]) -> Pull:
        """Every submission of each form. The cursor is JSON: the ids that each form had.

        Args:
            ask: returns the form's definition and its pages.
        """
        contract = load.contract
        self._had = {form: set(ids) for form, ids in json.loads(load.cursor or "{}").items()}

        def read() -> Iterator[Batch]:
            for name in forms:
                form, pages = ask(name)
                try:
                    yield from self._form(contract, form, pages)
                except (FileRefusedError, ContractError) as reason:
                    refused = Rejected(f"{self._title} {form.survey}", None, None, str(reason), "{}")
                    yield Batch(frame_of([], contract), [refused], fetched=1)

        def new_cursor() -> str:
            return json.dumps({form: sorted(ids) for form, ids in sorted(self._had.items())})

        return Pull(read(), new_cursor, warnings=lambda: self.warnings, proposals=lambda: self.proposals)

    def _form(self, contract: EntityContract, form: Form, pages: Pages) -> Iterator[Batch]:
        book = codebook_for(form.survey, self._own, questions_of_form(form.layout.questions))
        place = f"{self._title} {form.survey}"
        seen: set[str] = set()
        total = 0
        plan: Plan | None = None
        consents = Consents(book)
        unknown: Counter[str] = Counter()
        for records, announced in pages:
            accepted = [record for record in records if not self._rejected(record)]
            gone = [str(record.get(self._key)) for record in records if self._rejected(record)]
            first, total = len(seen), announced
            seen |= {str(record.get(self._key)) for record in records}
            if gone:
                yield self._refused(contract, form, gone)
            if accepted:
                answers = answers_of(form, accepted, self._key, place, first)
                if plan is None:
                    plan = plan_of(answers, book)
                    missing = answers.layout.missing | frozenset(book.missing)
                    self.warnings += [
                        f"{place}: {words}" for words in require_branches([answers], plan.joins, missing)
                    ]
                    unread = asked(answers, plan)
                    self.warnings += [
                        f"{place}: {words}" for words in unread_looks(answers, unread, plan, book)
                    ]
                    self._look_for_questions(form, plan)
                    self.proposals += unknown_questions(answers, unread, plan, book)
                scale = scale_in([answers], plan, book)
                unknown.update(scale.unknown)
                yield from batches(iter([answers]), plan, book, contract, scale, consents=consents)
        if len(seen) < total:
            raise TransientSourceError(
                f"{self._title} {form.survey}: {total} submissions were announced and {len(seen)} arrived."
                " Nothing was stored. Run the load again."
            )
        if consents.left_out:
            yield self._without_consent(contract, form, consents)
        self._tell_what_vanished(form, seen)
        self.proposals += unknown_answers(form.survey, unknown, book)
        if advice := Scale({}, unknown).advice:
            self.warnings.append(f"{place}: {advice} with `surveys: [{form.survey}]`.")

    def _tell_what_vanished(self, form: Form, seen: set[str]) -> None:
        had = self._had.setdefault(form.survey, set())
        if gone := sorted(had - seen):
            shown = ", ".join(gone[:_SHOWN]) + (", …" if len(gone) > _SHOWN else "")
            self.warnings.append(
                f"{self._title} {form.survey}: {len(gone)} submissions that were loaded before are not there any more"
                f" ({shown}). They still count. If they were deleted on purpose, leave them out in the"
                " workbook, sheet Corrections; if not, check what the account may view."
            )
        had |= seen

    def _refused(self, contract: EntityContract, form: Form, gone: list[str]) -> Batch:
        """Submissions that were rejected in review do not count; stored ones are marked as deleted."""
        note = f"{self._title} {form.survey}: {len(gone)} submissions rejected in review are left out."
        empty = Batch(frame_of([], contract), notes=[note])
        return replace(empty, deleted=dict.fromkeys(f"{form.layout.tool}|{key}" for key in gone))

    def _without_consent(self, contract: EntityContract, form: Form, consents: Consents) -> Batch:
        """Submissions of people who did not agree do not count; stored ones are marked as deleted."""
        place = f"{self._title} {form.survey}"
        self.warnings += [f"{place}: {words}" for words in consents.warnings]
        notes = [f"{place}:{in_words(consents.left_out)}"]
        gone: dict[str, datetime | None] = {f"{form.layout.tool}|{one}": None for one in consents.ids}
        return Batch(frame_of([], contract), notes=notes, deleted=gone)

    def _look_for_questions(self, form: Form, plan: Plan) -> None:
        if not plan.roles:
            self.warnings.append(
                f"{self._title} {form.survey}: no question was recognised. Write a codebook with"
                f" `surveys: [{form.survey}]` into the codebooks folder."
            )
