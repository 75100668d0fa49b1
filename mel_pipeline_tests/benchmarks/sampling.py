"""A sampling profiler: inspects the main thread every ten milliseconds and counts by library and by our own module.

Coarser than cProfile, but without its overhead, so proportions are true.
"""

from __future__ import annotations

import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

EVERY_SECONDS = 0.01


class Samples:
    """Sample counts of the watched thread."""

    def __init__(self) -> None:
        self.libraries: Counter[str] = Counter()
        self.ours: Counter[str] = Counter()
        self.functions: Counter[str] = Counter()

    @property
    def total(self) -> int:
        return sum(self.libraries.values())

    def note(self, frame: FrameType | None) -> None:
        own, library, function = "none of ours", "", ""
        while frame is not None:
            module = str(frame.f_globals.get("__name__", "?"))
            root = module.split(".", maxsplit=1)[0]
            if not library and root not in sys.stdlib_module_names:
                library, function = root, f"{module}.{frame.f_code.co_qualname}"
            if root == "mel_pipeline":
                own = f"{module}.{frame.f_code.co_qualname}"
                break
            frame = frame.f_back
        self.libraries[library or "Python"] += 1
        self.functions[function or "Python"] += 1
        self.ours[own] += 1

    def show(self, most: int = 12) -> None:
        for title, counts in (
            ("library the time is spent in", self.libraries),
            ("our function that waits for it", self.ours),
            ("function", self.functions),
        ):
            print(f"  by {title}:")
            for name, count in counts.most_common(most):
                print(f"    {100 * count / max(1, self.total):5.1f} %  {Path(name).name}")


@contextmanager
def sampled() -> Iterator[Samples]:
    """Watch the calling thread."""
    samples, ended, watched = Samples(), threading.Event(), threading.get_ident()

    def watch() -> None:
        while not ended.is_set():
            samples.note(sys._current_frames().get(watched))
            time.sleep(EVERY_SECONDS)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield samples
    finally:
        ended.set()
        thread.join()
