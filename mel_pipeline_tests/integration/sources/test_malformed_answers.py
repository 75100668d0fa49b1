"""Whatever a source sends ends as rows, a quarantined row or an outage of that source, with a sentence.

Real answers of every source, as its client got them from the sample, are bent and read again. Sources are
discovered: a new folder is tested here at once.
"""

from __future__ import annotations

import random
import shutil
from collections import Counter
from dataclasses import replace
from importlib import import_module

import pandas as pd
import pytest

from mel_pipeline.core.contracts import contract_of, source_names
from mel_pipeline.core.errors import MelError
from mel_pipeline.core.periods import Quarter
from mel_pipeline.ingest.guarding import Guarded, UnforeseenAnswerError
from mel_pipeline.sources.shared.http import Answer, Policy
from mel_pipeline_tests.conftest import Organisation
from mel_pipeline_tests.depth import examples
from mel_pipeline_tests.fixtures.mutations import mutated_json
from mel_pipeline_tests.fixtures.replay import Recording

HASTY = Policy(attempts=1, backoff=0.0, longest_wait=0.0, throttled=0.0, job=0.0, poll=0.0)
RECENT = Quarter(2026, 3)  # every platform still has data for it
BY_API = [name for name in source_names() if name != "survey_files"]
STATUSES = [200, 201, 204, 304, 302, 400, 401, 403, 404, 429, 500, 503]


def read(organisation: Organisation, source: str, entity: str, policy: Policy = HASTY) -> list[pd.DataFrame]:
    """One load as far as the frames that would be checked; every cell can be stored as text."""
    client = import_module(f"mel_pipeline.sources.{source}.client").open(organisation.settings, policy)
    contract = contract_of(source)
    pull = Guarded(client, contract).pull(entity, quarter=RECENT, cursor=None)
    pull.schema()
    frames = []
    for batch in pull.batches:
        columns = [*contract.entities[entity].columns, "_source_ref"]
        assert list(batch.frame.columns) == columns
        for name in columns:
            "".join(batch.frame[name].dropna()).encode()
        for row in batch.rejected:
            f"{row.source_ref}{row.row_key}{row.column}{row.reason}{row.payload}".encode()
        frames.append(batch.frame)
    for told in (pull.cursor, pull.expected_count, pull.complete, pull.usage, pull.warnings):
        told()
    return frames


@pytest.mark.deep
@pytest.mark.fault(41)
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
            continue  # it asks nothing: what the service does not offer is known
        for seed in range(examples(25, 1_000)):
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
