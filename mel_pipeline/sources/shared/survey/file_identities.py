"""The ids of a file's responses beside what was read before: other forms, withdrawn responses, vanished ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace

from mel_pipeline.sources.shared.base import Batch
from mel_pipeline.sources.shared.survey import responses
from mel_pipeline.sources.shared.survey.advice import counted
from mel_pipeline.sources.shared.survey.codebook import Codebook
from mel_pipeline.sources.shared.survey.consent import Consents
from mel_pipeline.sources.shared.survey.identity import Identifier
from mel_pipeline.sources.shared.survey.known_forms import KnownForms, Row
from mel_pipeline.sources.shared.survey.left_out import LeftOut, Screen
from mel_pipeline.sources.shared.survey.model import Answers, Kind
from mel_pipeline.sources.shared.survey.plan import Plan
from mel_pipeline.sources.shared.survey.reading import Export
from mel_pipeline.sources.shared.survey.screening import marking_columns

_COMPARED = 100_000  # responses of a file; larger ones are not compared with earlier exports


@dataclass(frozen=True)
class EarlierReads:
    """What was read before, and in this load.

    ``with_former``: some of it under the ids of earlier versions of this package. ``withdrawn``: keys of responses
    that the latest export which holds them marks as not valid. ``left_out``: those that any export left out.
    """

    forms: KnownForms
    left_out: LeftOut
    with_former: bool
    withdrawn: dict[str, None]


class FileIdentities:
    """The ids of a file's responses, and what they say of the forms read before.

    Ids of the tool pass with the responses. Others need the whole file first: another form may have them too.
    """

    def __init__(
        self, export: Export, first: Answers, plan: Plan, book: Codebook, read: EarlierReads
    ) -> None:
        self._export, self._forms, self._withdrawn = export, read.forms, read.withdrawn
        self._left_out = read.left_out
        asks: dict[Screen, bool] = {
            "consent": "consent" in plan.roles,
            "validity": bool(marking_columns(export.layout)),
        }
        self._screens = [screen for screen, has in asks.items() if has]
        self._tool = export.layout.tool
        self.left_out: Counter[str] = Counter()
        self._repeated, self._mark = 0, ""
        self._rows: dict[str, Row] = {}
        self._digests: dict[
            str, str
        ] = {}  # by id: of the answers, as a file without the question of consent has them
        self._told: list[str] | None = None
        self.ids: list[str | None] | None = None
        if Identifier(export.layout, plan.builtins).kind == "own":
            return
        with closing(export.chunks(first.order)) as chunks:
            kind, found = responses.identified(chunks, plan, book)
        self._rows = {one: row for one, row in found if one is not None}
        self._mark, self._told = self._placed(kind)
        self.ids = [one and self._marked(one) for one, _ in found]
        written = [row[0] for _, row in found]
        if "consent" in plan.roles:
            with closing(export.chunks(first.order)) as chunks:
                written = responses.digests_without(chunks, plan, book, plan.columns_of("consent"))
        self._digests = {one: digest for one, digest in zip(self.ids, written, strict=True) if one}

    def counted(self, chunks: Iterable[Answers]) -> Iterator[Answers]:
        """The same chunks, while what is no valid response is counted."""
        for answers in chunks:
            self.left_out.update(answers.left_out)
            self._leave_out([self._marked(one) for one in answers.withdrawn], "validity")
            self._rows |= dict.fromkeys(answers.withdrawn, ("", ""))  # they did not vanish
            yield answers

    def _leave_out(self, ids: Iterable[str], screen: Screen) -> None:
        for one in ids:
            self._left_out.note(self._keys(one), screen)
            self._withdrawn[f"{self._tool}|{one}"] = None

    def _keys(self, identity: str) -> list[str]:
        """What tells a response in another file of its form: its id, or its answers where that is no id of the tool."""
        digest = self._digests.get(identity)
        return [f"{self._tool}|{identity}", *([f"{self._tool}#{digest}"] if digest else [])]

    def _marked(self, identity: str) -> str:
        return f"{identity} of form {self._mark}" if self._mark else identity

    def kept(self, batch: Batch) -> Batch:
        """The batch without responses that another file left out, by a column that this file lacks."""
        ids = [str(one) for one in batch.frame["response_id"]]
        reasons = [self._left_out.reason(self._keys(one), self._screens) for one in ids]
        out = {one: None for one, reason in zip(ids, reasons, strict=True) if reason}
        rejected = [
            row for row in batch.rejected if not self._left_out.reason([row.row_key or ""], self._screens)
        ]
        if not out and len(rejected) == len(batch.rejected):
            return batch
        self.left_out.update(filter(None, reasons))
        self._withdrawn |= {f"{self._tool}|{one}": None for one in out}
        self._rows = dict.fromkeys(out, ("", "")) | self._rows  # they did not vanish
        return replace(batch, frame=batch.frame[[reason is None for reason in reasons]], rejected=rejected)

    def note(self, batch: Batch) -> None:
        if self._withdrawn:
            for identity in batch.frame["response_id"]:
                self._withdrawn.pop(f"{self._tool}|{identity}", None)
        if self._told is None and self._export.responses <= _COMPARED:
            for identity, moment in zip(
                batch.frame["response_id"], batch.frame["answered_at"].fillna(""), strict=True
            ):
                row = ("", str(moment)[:16])
                before = self._rows.get(identity)
                self._repeated += bool(before and before[1] and before != row)
                self._rows[identity] = row

    def leave_out(self, consents: Consents) -> None:
        """Who did not agree is not read, and counts no more if an earlier load has stored it."""
        self.left_out.update(consents.left_out)
        self._leave_out(consents.ids, "consent")
        self._rows = dict.fromkeys(consents.ids, ("", "")) | self._rows  # they did not vanish

    def doubts(self) -> list[str]:
        """What is not sure, once every response has passed."""
        if self._told is None and self._rows:
            _, self._told = self._placed("own")
        told = list(self._told or [])
        if self._repeated:
            told.append(
                f"{counted(self._repeated, 'row has', 'rows have')} the id of another row, at another time: the version"
                " answered last counts. If they are different people, the ids are damaged: export the file again."
            )
        return told

    def _placed(self, kind: Kind) -> tuple[str, list[str]]:
        return self._forms.placed(self._tool, kind, self._rows, self._export.file.modified_ns)
