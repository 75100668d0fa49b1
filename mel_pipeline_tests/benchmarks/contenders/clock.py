"""What every contender does around its work: read the task, measure time and memory, report the result."""

import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any


def peak_mb() -> float:
    """Peak memory of this process, in MB. Not ru_maxrss on Linux: it keeps that of the parent before exec."""
    try:
        for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM"):
                return int(line.split()[1]) / 1024
    except FileNotFoundError:
        pass
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def run(work: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Time only the work: its module has already imported its library.

    ``work`` gets the task and returns the number of broken rows by test (empty if it runs none). If reading the
    input is not part of the work, it times itself and returns ``_seconds``.
    """
    task = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    begun, used = time.perf_counter(), time.process_time()
    broken = work(task)
    seconds = broken.pop("_seconds", None)
    told = {
        "seconds": time.perf_counter() - begun if seconds is None else seconds,
        "cpu": time.process_time() - used,
        "peak": peak_mb(),
        "broken": {name: count for name, count in broken.items() if count},
        "tests": len(broken),
    }
    print("\n" + json.dumps(told), flush=True)
