"""Loading the definitions compared with `import dagster` alone, each in its own process, in alternating turns.

``definitions`` is what Dagster does first: import our code, read contracts, catalogue and SQL project, build assets.
``repository`` is what it then does with any definitions: build and check the asset graph and the jobs.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from functools import partial

from mel_pipeline_tests.benchmarks.measuring import child, in_turns, keep, ratio, show
from mel_pipeline_tests.benchmarks.targets import Verdict

TURNS = 9
TOLD = """
import json, sys, time
sys.path.insert(0, {folder!r})
from clock import peak_mb
begun, used = time.perf_counter(), time.process_time()
{work}
print(json.dumps({{"seconds": time.perf_counter() - begun, "cpu": time.process_time() - used, "peak": peak_mb()}}))
"""
WORKS = {
    "import dagster": "import dagster",
    "definitions": "from mel_pipeline.defs import build; build()",
    "definitions, repository": "from mel_pipeline.defs import build; build().get_repository_def()",
}


def loaded(work: str) -> dict[str, float]:
    from mel_pipeline_tests.benchmarks.measuring import CONTENDERS

    text = TOLD.format(folder=str(CONTENDERS), work=WORKS[work])
    with tempfile.TemporaryDirectory() as home:
        return child([sys.executable, "-W", "ignore", "-c", text], {"MEL_HOME": home})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="three turns")
    asked = parser.parse_args()
    found = in_turns({work: partial(loaded, work) for work in WORKS}, 3 if asked.quick else TURNS)
    show("Definitions load", found, "import dagster")
    verdict = Verdict("definitions", ratio(found["definitions"], found["import dagster"]))
    keep("definitions_load", {"definitions": found}, [verdict])


if __name__ == "__main__":
    main()
