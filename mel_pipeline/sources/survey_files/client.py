"""Read survey exports from the drop folder. What a file means is in sources/shared/survey; nothing is moved or deleted."""

from __future__ import annotations

import codecs
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import date
from itertools import chain
from pathlib import Path
from typing import ClassVar, cast

from mel_pipeline.core.contracts import EntityContract, fingerprint_of
from mel_pipeline.core.disk_trouble import NO_SPACE, says_full_disk
from mel_pipeline.core.errors import MelError, PermanentSourceError, SettingsError, place_of
from mel_pipeline.core.periods import Quarter
from mel_pipeline.core.settings import Settings
from mel_pipeline.sources.shared.base import Batch, Client, Load, Pull, Rejected, frame_of
from mel_pipeline.sources.shared.dates import Order
from mel_pipeline.sources.shared.files import (
    SETTLE_SECONDS,
    DropFile,
    FileRefusedError,
    files_in,
    other_entries,
    readable_files,
    unpacked,
)
from mel_pipeline.sources.shared.survey import responses
from mel_pipeline.sources.shared.survey.advice import inspect_command
from mel_pipeline.sources.shared.survey.books import codebooks_of, gender_labels
from mel_pipeline.sources.shared.survey.codebook import (
    BrokenCodebook,
    Codebook,
    codebook_for,
    common_codebook,
    unused_event_codes,
)
from mel_pipeline.sources.shared.survey.consent import Consents
from mel_pipeline.sources.shared.survey.doubts import Doubts
from mel_pipeline.sources.shared.survey.file_identities import EarlierReads, FileIdentities
from mel_pipeline.sources.shared.survey.known_forms import KnownForms
from mel_pipeline.sources.shared.survey.left_out import LeftOut
from mel_pipeline.sources.shared.survey.looks import asked, unread_looks
from mel_pipeline.sources.shared.survey.model import Answers
from mel_pipeline.sources.shared.survey.plan import Plan, plan_of
from mel_pipeline.sources.shared.survey.profile import Profile, profiles_in
from mel_pipeline.sources.shared.survey.proposing import Found, unknown_answers, unknown_questions
from mel_pipeline.sources.shared.survey.reading import Export, open_export
from mel_pipeline.sources.shared.survey.scale import Scale
from mel_pipeline.sources.shared.survey.screening import in_words
from mel_pipeline.sources.survey_files.members import exports_in, survey_of
from mel_pipeline.sources.workbook.versions import current

TABLES = {".csv", ".tsv", ".txt", ".xlsx", ".xls", ".ods"}
ENDINGS = {*TABLES, ".zip"}
_OWN = {"codebooks", "profiles"}  # folders of the drop folder
_READING = "1"  # what a reading finds; where it changes, files still in the folder are read again
PROPOSED = "The next download of the workbook proposes rows for it on the sheet Survey questions"


@dataclass(frozen=True)
class Rules:
    """How files are read: the organisation's own codebooks and profiles, and what is declared for all.

    ``covered``: the first day that a quarter covers, and today; an answer outside counts in no figure.
    """

    codebooks: Sequence[Codebook] = ()
    profiles: Sequence[Profile] = ()
    fallback: str | None = None
    order: Order | None = None
    broken_profiles: Sequence[str] = ()
    covered: tuple[date, date] = (date(2000, 1, 1), date.max)
    genders: Collection[str] | None = None  # known labels; None: those of the organisation's folder

    @property
    def faults(self) -> list[str]:
        """Why codebooks and profiles cannot be used."""
        books = [book.fault for book in self.codebooks if isinstance(book, BrokenCodebook)]
        return [*books, *self.broken_profiles]

    def fingerprint(self, contract: EntityContract) -> str:
        """Changes with any of them, so that files still in the folder are read again."""
        parts = [_READING, fingerprint_of(contract), common_codebook().fingerprint, self.fallback, self.order]
        parts += [book.fingerprint for book in self.codebooks]
        parts += [profile.model_dump_json() for profile in self.profiles]
        return json.dumps(parts)


def open(settings: Settings, settle_seconds: float = SETTLE_SECONDS) -> SurveyFiles:
    return SurveyFiles(settings.survey_folder, rules_of(settings), settle_seconds)


def rules_of(settings: Settings) -> Rules:
    """Codebooks and profiles from the drop folder, and the source's settings.

    Raises:
        SettingsError: a setting is not one of its values.
    """
    options = settings.source("survey_files")
    order, fallback = options.text("date_order"), options.text("fallback_encoding")
    if order not in ("", "day_first", "month_first"):
        raise SettingsError(f"{options.variable('date_order')} must be day_first or month_first. Fix it.")
    try:
        codecs.lookup(fallback or "utf-8")
    except LookupError:
        raise SettingsError(
            f"{options.variable('fallback_encoding')} is not a known encoding. Western Windows files are in cp1252."
        ) from None
    folder = settings.survey_folder
    profiles, broken = profiles_in(folder / "profiles")
    return Rules(
        codebooks_of(settings),
        profiles,
        fallback or None,
        cast("Order", order) if order else None,
        broken,
        (Quarter.parse(settings.first_quarter).start, settings.current_day),
        gender_labels(current(settings).rows["answer_scales"]),
    )


class SurveyFiles(Client):
    """The drop folder as a source. The cursor is JSON: each file that was read, with SHA-256 and size."""

    source = "survey_files"

    def __init__(self, folder: Path, rules: Rules, settle_seconds: float = SETTLE_SECONDS) -> None:
        self._folder = folder
        self._rules = rules
        self._settle = settle_seconds

    def _response_load(self, load: Load) -> Pull:
        """Responses of files that are new or have changed, oldest file first.

        Of two versions of a response the one answered last counts, or the one that is read last.
        """
        contract, cursor = load.contract, load.cursor
        rules = self._rules.fingerprint(contract)
        stored = json.loads(cursor) if cursor else {}
        known: dict[str, str] = stored.get("files", {}) if stored.get("rules") == rules else {}
        said: dict[str, list[str]] = stored.get("warnings", {}) if known else {}
        proposed: dict[str, list[Found]] = stored.get("proposals", {}) if known else {}
        files, told, proposals = dict(known), dict(said), dict(proposed)
        read = EarlierReads(
            KnownForms(stored.get("forms")),
            LeftOut(stored.get("left_out")),
            bool(cursor) and stored.get("former", True),
            {},
        )
        warnings = list(self._rules.faults)

        def batches() -> Iterator[Batch]:
            exports, refused = self._exports()
            done = set(known.values())
            for export in exports:
                stamp = f"{export.digest}:{export.size}"
                if stamp not in done:
                    told[export.name], proposals[export.name] = [], []
                    why: dict[str, str] = {}
                    yield from self._held(
                        export, contract, read, told[export.name], proposals[export.name], why
                    )
                    if why:
                        refused |= why
                        warnings.extend(told[export.name])
                        continue  # reported below, with the others; the next run tries it again
                    done.add(stamp)
                files[export.name] = stamp
                # Of a file that was read before, too: it still counts so.
                warnings.extend(told.get(export.name, ()))
            if read.withdrawn:
                yield Batch(frame_of([], contract), deleted=read.withdrawn)
            warnings.extend(self._others())
            for name, reason in refused.items():
                yield Batch(frame_of([], contract), [Rejected(name, None, None, reason, "{}")], fetched=1)

        def new_cursor() -> str | None:
            kept = {name: told[name] for name in sorted(files) if told.get(name)}
            found = {name: proposals[name] for name in sorted(files) if proposals.get(name)}
            if files == known and kept == said and found == proposed:
                return None
            return json.dumps(
                {
                    "rules": rules,
                    "files": dict(sorted(files.items())),
                    "warnings": kept,
                    "proposals": found,
                    "forms": read.forms.stored(),
                    "left_out": read.left_out.stored(),
                    "former": read.with_former,
                }
            )

        return Pull(
            batches(),
            new_cursor,
            warnings=lambda: warnings,
            proposals=lambda: [one for name in sorted(proposals) for one in proposals[name]],
        )

    def _exports(self) -> tuple[list[DropFile], dict[str, str]]:
        """Files no longer being written, oldest first; and why some cannot be read, by name."""
        if not self._folder.is_dir():
            raise PermanentSourceError(
                f"Survey exports: there is no folder {self._folder}. Create it, or set MEL_SURVEY_DIR."
            )
        return readable_files(
            file for file in files_in(self._folder, ENDINGS) if file.is_settled(self._settle)
        )

    def _others(self) -> list[str]:
        """A warning about files in the folder that are not read."""
        others = [name for name in other_entries(self._folder, ENDINGS) if name not in _OWN]
        if not others:
            return []
        return [
            f"Not read in the folder of survey exports: {', '.join(others)}. Only CSV, XLSX, XLS, ODS and zip files"
            " directly in it are. Export or move them so, or remove them."
        ]

    def _held(
        self,
        file: DropFile,
        contract: EntityContract,
        read: EarlierReads,
        told: list[str],
        proposed: list[Found],
        refused: dict[str, str],
    ) -> Iterator[Batch]:
        """The responses of a file, or of each export in a zip; and why some are not read, by name."""
        try:
            with unpacked(file, TABLES) as (tables, others):
                told += [f"{name}: {why}" for name, why in others.items()]
                exports, alone = exports_in(tables, self._rules.fallback)
                refused |= alone
                for table, groups in exports:
                    try:
                        yield from self._responses(
                            table, contract, read, told, proposed, survey_of(table, file), groups
                        )
                    except Exception as error:
                        refused[table.name] = _reason(error)
        except Exception as error:
            refused[file.name] = _reason(error)

    def _responses(
        self,
        file: DropFile,
        contract: EntityContract,
        read: EarlierReads,
        warnings: list[str],
        proposed: list[Found],
        survey: str,
        groups: Mapping[str, DropFile],
    ) -> Iterator[Batch]:
        with open_export(file, self._rules.profiles, self._rules.fallback, survey, groups) as export:
            own = self._rules.codebooks
            book = codebook_for(export.survey, own, export.questions)
            order = export.order(book, self._rules.order)
            with closing(export.chunks(order)) as chunks:
                first = next(chunks)
                plan = plan_of(first, book)
                unread = asked(first, plan)
                told = [
                    *unused_event_codes(export.survey, own, export.questions),
                    *export.warnings_of(plan.joins, book),
                    *unread_looks(
                        first,
                        unread,
                        plan,
                        book,
                        f"{PROPOSED} ({inspect_command(file.name)} shows them as well)",
                    ),
                ]
                warnings += [f"{file.name}: {words}" for words in told]
                note = f"{file.name}: {export.layout.tool}, {export.how}; {export.responses} responses;"
                note += f" {len(plan.personal)} personal columns left out."
                warnings += _missing_questions(file.name, plan, book)
                scale = _scale(export, first, plan, book)
                proposed += unknown_questions(first, unread, plan, book)
                proposed += unknown_answers(export.survey, scale.unknown, book)
                identities = FileIdentities(export, first, plan, book, read)
                consents = Consents(book)
                doubts = Doubts(
                    file.name,
                    scale,
                    responses.other_range(export.layout, plan),
                    self._rules.covered,
                    self._rules.genders,
                )
                for batch in responses.batches(
                    identities.counted(chain([first], chunks)),
                    plan,
                    book,
                    contract,
                    scale,
                    identities.ids,
                    consents=consents,
                    with_former=read.with_former,
                ):
                    allowed = identities.kept(batch)
                    doubts.note(allowed)
                    identities.note(allowed)
                    yield replace(allowed, notes=[note])
                identities.leave_out(consents)
                warnings += doubts.sentences
                proposed += doubts.proposals
                warnings += [f"{file.name}: {words}" for words in (*consents.warnings, *identities.doubts())]
                if left_out := in_words(identities.left_out):
                    yield Batch(frame_of([], contract), notes=[f"{file.name}:{left_out}"])

    loads: ClassVar = {"responses": _response_load}


def _scale(export: Export, first: Answers, plan: Plan, book: Codebook) -> Scale:
    """By all answers of a file, whatever its length."""
    if export.responses <= len(first.frame) + sum(first.left_out.values()):
        return responses.scale_in([first], plan, book)
    columns = {
        *plan.columns_of("overall_satisfaction"),
        *plan.columns_of("consent"),
        *(one for join in plan.joins for one in join.columns),
    }
    with closing(export.chunks(first.order, sorted(columns))) as chunks:
        return responses.scale_in(chunks, plan, book)


def _reason(error: Exception) -> str:
    """Why a file was not read; of what nobody foresaw only the place, as its text may quote an answer."""
    if isinstance(error, FileRefusedError | MelError):
        return str(error)
    if says_full_disk(str(error)):
        return NO_SPACE
    return (
        f"The file could not be read ({type(error).__name__} at {place_of(error)}). The other files load. Export it"
        " again, unchanged; if this stays, send this sentence to the maintainer of the connector."
    )


def _missing_questions(name: str, plan: Plan, book: Codebook) -> list[str]:
    """Warnings for the MEL lead: what a file does not cover."""
    missing = [
        words
        for role, words in (("overall_satisfaction", "overall satisfaction"), ("event_code", "the event"))
        if role not in plan.roles and not (role == "event_code" and book.event_code)
    ]
    if not missing:
        return []
    return [
        f"{name}: no question was recognised for {' or '.join(missing)}."
        f" {PROPOSED}; {inspect_command(name)} shows the whole file."
    ]
