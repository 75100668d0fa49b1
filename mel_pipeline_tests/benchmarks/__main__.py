"""Run all benchmarks in sequence and summarise the results: ``python -m mel_pipeline_tests.benchmarks [--quick]``."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys

from mel_pipeline.core.settings import PROJECT
from mel_pipeline_tests.benchmarks.measuring import HOME

NAMES = [
    "definitions_load",
    "nightly",
    "zoho_sync",
    "survey_import",
    "postgres_load",
    "formats",
    "validation",
    "sql_models",
    "only_touched",
    "memory",
    "growth",
    "scaling",
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*NAMES, []], help="only these")
    parser.add_argument("--quick", action="store_true", help="small sizes, few turns; some minutes")
    asked = parser.parse_args()
    failed = []
    for name in asked.names or NAMES:
        print(f"\n=== {name}", flush=True)
        command = [sys.executable, "-m", f"{__package__}.{name}", *(["--quick"] if asked.quick else [])]
        if subprocess.run(command, cwd=PROJECT, check=False).returncode != 0:
            failed.append(name)
    print("\n=== Where it stands")
    for name in asked.names or NAMES:
        path = HOME / "results" / f"{name}.json"
        if name not in failed and path.exists():
            for verdict in json.loads(path.read_text(encoding="utf-8"))["verdicts"]:
                print(f"  {'✓' if verdict['met'] else '✗'} {verdict['sentence']}")
    if failed:
        sys.exit(f"These could not be measured, see above: {', '.join(failed)}.")


if __name__ == "__main__":
    main()
