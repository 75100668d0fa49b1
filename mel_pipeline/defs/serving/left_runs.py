"""Runs whose process is gone: after a power cut Dagster would count them as running, and the queue would wait for hours."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator, Sequence
from pathlib import Path

import dagster as dg
from dagster._core.storage.tags import GRPC_INFO_TAG

HOST = ".dagster/mel_host"  # hidden tag of runs that no daemon launched: where their process is
BEGUN = [dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]
SENTENCE = (
    "The process of this run is gone: it was killed, or the machine lost power. What was published before is"
    " unaffected, and loads resume where they were. Start the run again."
)
SLACK_SECONDS = 2.0  # the kernel counts a process's start in ticks since boot


def mark_left_runs(instance: dg.DagsterInstance) -> list[str]:
    """Mark the runs of this machine whose process is gone as failed, or as cancelled where that was asked for.

    Call it before a daemon starts. Runs of other machines, and such that Dagster has only just launched, are left to
    Dagster's own limits.

    Returns:
        Their ids.
    """
    marked = []
    for run in instance.get_runs(dg.RunsFilter(statuses=BEGUN)):
        is_ours = GRPC_INFO_TAG in run.tags or run.tags.get(HOST) == platform.node()
        workers = list(_workers(instance, run.run_id))
        if not is_ours or not workers or any(_is_alive(pid, when) for pid, when in workers):
            continue
        if run.status is dg.DagsterRunStatus.CANCELING:
            instance.report_run_canceled(run, SENTENCE)
        else:
            instance.report_run_failed(run, SENTENCE)
        marked.append(run.run_id)
    return marked


def said_of(marked: Sequence[str]) -> str:
    """What a start tells about the runs that it has marked."""
    runs = "1 run was" if len(marked) == 1 else f"{len(marked)} runs were"
    which = ", ".join(run[:8] for run in marked)
    return f"{runs} cut off when the process ended ({which}): marked as failed. Start again what is still needed."


def _workers(instance: dg.DagsterInstance, run_id: str) -> Iterator[tuple[int, float]]:
    """Process and time of each event in which a process took the run up."""
    for entry in instance.all_logs(run_id, of_type=dg.DagsterEventType.ENGINE_EVENT):
        event = entry.dagster_event
        pid = event.engine_event_data.metadata.get("pid") if event else None
        if isinstance(pid, dg.TextMetadataValue) and pid.text and pid.text.isdigit():
            yield int(pid.text), entry.timestamp


def _is_alive(pid: int, when: float) -> bool:
    """Whether the process that had this number then still runs; another may have the number now."""
    if not Path("/proc/self/stat").exists():  # not Linux
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            pass
        return True
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return False
    begun = _boot_time() + int(fields[19]) / os.sysconf("SC_CLK_TCK")
    return fields[0] not in "ZX" and begun <= when + SLACK_SECONDS


def _boot_time() -> float:
    lines = Path("/proc/stat").read_text(encoding="utf-8").splitlines()
    return float(next(line for line in lines if line.startswith("btime ")).split()[1])
