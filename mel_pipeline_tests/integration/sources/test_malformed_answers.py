"""Whatever a source sends ends as rows, a quarantined row or an outage of that source, with a sentence.

Responses recorded from the sample are mutated and read again. Sources are discovered: new folders are tested
automatically.
"""

from __future__ import annotations

import os
import random
import shutil
import time
from collections import Counter
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import pandas as pd
import pytest

from mel_pipeline.core.contracts import contract_of, source_names
from mel_pipeline.core.errors import MelError
from mel_pipeline.core.periods import Quarter
from mel_pipeline.core.settings import Settings
from mel_pipeline.ingest.guarding import Guarded, UnforeseenAnswerError
from mel_pipeline.sources import open_source
from mel_pipeline.sources.shared.http import Answer, Policy
from mel_pipeline_tests.conftest import Organisation
from mel_pipeline_tests.depth import examples
from mel_pipeline_tests.fixtures.mutations import mutated_file, mutated_json
from mel_pipeline_tests.fixtures.replay import Recording

HASTY = Policy(attempts=1, backoff=0.0, longest_wait=0.0, throttled=0.0, job=0.0, poll=0.0)
RECENT = Quarter(2026, 3)  # every platform still has data for it
BY_API = [name for name in source_names() if name not in ("survey_files", "workbook")]
FIXTURES = Path(__file__).parents[2] / "fixtures"
STATUSES = [200, 201, 204, 304, 302, 400, 401, 403, 404, 429, 500, 503]


def read(organisation: Organisation, source: str, entity: str, policy: Policy = HASTY) -> list[pd.DataFrame]:
    """Run one load up to the frames that would be validated; every cell can be stored as text."""
    client = import_module(f"mel_pipeline.sources.{source}.client").open(organisation.settings, policy)
    contract = contract_of(source)
    pull = Guarded(client, contract).pull(entity, quarter=RECENT, cursor=None)
    pull.schema()
    frames = []
    for batch in pull.batches:
        columns = [*contract.entities[entity].columns, "_source_ref"]
        assert list(batch.frame.columns) == columns
        "".join(batch.frame.to_numpy(object, na_value="").ravel()).encode()
        for row in batch.rejected:
            f"{row.source_ref}{row.row_key}{row.column}{row.reason}{row.payload}".encode()
        frames.append(batch.frame)
    for told in (pull.cursor, pull.expected_count, pull.complete, pull.usage, pull.warnings):
        told()
    return frames


@pytest.mark.exhaustive
@pytest.mark.deep
@pytest.mark.fault(41)
@pytest.mark.behaviour("any_answer", "*")
@pytest.mark.parametrize("source", BY_API)
def test_whatever_a_source_sends_is_read_quarantined_or_an_outage_with_a_sentence(
    organisation: Organisation, source: str
) -> None:
    outcomes: Counter[str] = Counter()
    unforeseen: Counter[str] = Counter()
    for entity in contract_of(source).entities:
        recording = Recording()
        with recording.recording():
            assert read(organisation, source, entity, Policy())
        if not recording.answers:
            continue  # no request: the service is known not to offer it
        for seed in range(examples(4, 60)):
            luck = random.Random(f"{source} {entity} {seed}")
            victim = luck.randrange(min(len(recording.answers), 40))

            def bend(number: int, answer: Answer, luck: random.Random = luck, victim: int = victim) -> Answer:
                if number != victim:
                    return answer
                status = luck.choice(STATUSES) if luck.random() < 0.2 else answer.status
                return replace(answer, status=status, body=mutated_json(answer.body, luck))

            shutil.rmtree(organisation.settings.secrets_dir, ignore_errors=True)
            with recording.replaying(bend):
                try:
                    read(organisation, source, entity)
                    outcomes["read"] += 1
                except UnforeseenAnswerError as error:
                    unforeseen[str(error)] += 1
                except MelError as error:
                    assert len(str(error)) > 30 and str(error).endswith(".")
                    outcomes[type(error).__name__] += 1
    print(f"{source}: {dict(outcomes)}, unforeseen {sum(unforeseen.values())}")
    assert not unforeseen, "\n".join(f"{count} × {sentence}" for sentence, count in unforeseen.most_common())


SURVEYS = sorted(
    path
    for folder in ("surveys", "zoho_survey")
    for path in (FIXTURES / folder).iterdir()
    if path.suffix in (".csv", ".xlsx")
)
YOUTUBE = (
    b"Video,Video title,Video publish time,Duration,Views,Likes\nTotal,,,,12,\n"
    b'a1,A talk,"Nov 20, 2024",0:12:31,"12,300",40\n'
)
X = (
    b"Post id,Date,Post text,Post Link,Impressions,Likes,Reposts\n"
    b'1861000000000000001,"Tue, Nov 26, 2024",Hello,https://x.com/a_city/status/1861000000000000001,1500,7,2\n'
)
LINKEDIN = (
    b"Post title,Post link,Posted by,Created date,Impressions,Clicks,Likes\n"
    b'Housing,https://www.linkedin.com/feed/update/urn:li:activity:7266000000000000001,A,11/24/2024,"1,500",12,8\n'
)
META = (
    b"Post ID,%s,Description,Publish time,Post type,Date,Views,Reach,Likes\n"
    b'18012345678901234,17841400000000001,City,Hello,11/26/2024 09:05,IG reel,Lifetime,"15,000",9800,7\n'
)
EXPORTS = {
    "facebook": META % b"Page ID,Page name",
    "instagram": META % b"Account ID,Account name",
    "linkedin": LINKEDIN,
    "x": X,
    "youtube": YOUTUBE,
}
ONE_ACCOUNT = {"linkedin": "organization_ids", "x": "user_ids", "youtube": "channel_ids"}


def outcome_of(settings: Settings, source: str) -> Counter[str]:
    """How a folder of exports ends, over all entities of its source."""
    ended: Counter[str] = Counter()
    contract = contract_of(source)
    for entity in contract.entities:
        try:
            client = open_source(source, settings)
            pull = Guarded(client, contract).pull(entity, quarter=Quarter(2024, 4), cursor=None)
            batches = list(pull.batches)
            told = [row.reason for batch in batches for row in batch.rejected]
            assert all(reason.endswith(".") for reason in told)
            unforeseen = [reason for reason in told if "maintainer of the connector" in reason]
            ended.update(f"unforeseen: {reason}" for reason in unforeseen)
            ended["quarantined" if told else "read"] += 1
        except UnforeseenAnswerError as error:
            ended[f"unforeseen: {error}"] += 1
        except MelError as error:
            assert str(error).endswith(".")
            ended[type(error).__name__] += 1
    return ended


def put(folder: Path, name: str, content: bytes) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)
    os.utime(folder / name, (time.time() - 60,) * 2)


def require_foreseen(what: str, outcomes: Counter[str]) -> None:
    print(f"{what}: {dict(outcomes)}")
    assert not [ended for ended in outcomes if ended.startswith("unforeseen")]


@pytest.mark.deep
@pytest.mark.fault(41)
@pytest.mark.behaviour("any_file", "*")
@pytest.mark.parametrize("path", SURVEYS, ids=lambda path: path.name)
@pytest.mark.sweep("google_forms_en", "kobo_repeats_fr")
def test_whatever_a_survey_file_holds_is_read_quarantined_or_refused(path: Path, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, _env_file=None)
    outcomes: Counter[str] = Counter()
    for seed in range(examples(1, 4) if path.suffix == ".xlsx" else examples(2, 60)):
        luck = random.Random(f"{path.name} {seed}")
        put(settings.survey_folder, path.name, mutated_file(path.read_bytes(), luck))
        outcomes += outcome_of(settings, "survey_files")
    require_foreseen(path.name, outcomes)


@pytest.mark.deep
@pytest.mark.fault(41)
@pytest.mark.parametrize("source", sorted(EXPORTS))
def test_whatever_an_export_of_a_platform_holds_is_read_quarantined_or_refused(
    source: str, tmp_path: Path
) -> None:
    more = {ONE_ACCOUNT[source]: "1"} if source in ONE_ACCOUNT else {}
    settings = Settings(home=tmp_path, _env_file=None, sample=False)
    settings = settings.with_source(source, export_dir=str(tmp_path / "drop"), **more)
    outcomes: Counter[str] = Counter()
    for seed in range(examples(3, 150)):
        luck = random.Random(f"{source} {seed}")
        put(tmp_path / "drop", "export.csv", mutated_file(EXPORTS[source], luck))
        outcomes += outcome_of(settings, source)
    require_foreseen(f"{source}, files", outcomes)


@pytest.mark.deep
@pytest.mark.fault(41)
def test_whatever_an_export_of_the_crm_holds_is_read_quarantined_or_refused(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, _env_file=None, zoho_export_dir=tmp_path / "drop")
    columns = (
        b"Record Id,Account Owner,Account Name,Organisation Type,Member Type,Region,Country Code,Jurisdiction Type,"
        b"Part Of.id,Part Of,Joined On,Left On,Created Time,Modified Time\n"
    )
    row = (
        b"zcrm_54600000000000000%d,A,City %d,City government,Member,Europe,ES,,,,2019-02-01,,2019-01-10 09:00:00,"
        b"2024-05-01 10:00:00\n"
    )
    content = columns + b"".join(row % (n, n) for n in range(5))
    outcomes: Counter[str] = Counter()
    for seed in range(examples(4, 100)):
        put(tmp_path / "drop", "Accounts.csv", mutated_file(content, random.Random(f"crm {seed}")))
        outcomes += outcome_of(settings, "zoho_crm")
    require_foreseen("zoho_crm, files", outcomes)


def test_every_source_that_reads_exported_files_has_a_sample_to_mutate() -> None:
    assert {name for name in source_names() if "export_dir" in contract_of(name).settings} == set(EXPORTS)
