"""How cost grows: docs/images/performance-rows.png and performance-growth.png from the kept results."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from mel_pipeline.core.settings import PROJECT
from mel_pipeline_tests.benchmarks.measuring import HOME

PICTURE = PROJECT / "docs" / "images" / "performance-rows.png"
SHOWN = {
    "script": ("#8a8f98", "one DuckDB script"),
    "runner": ("#b3123b", "our runner"),
    "dbt": ("#1f6f8b", "dbt-duckdb"),
    "SQLMesh": ("#6b4fa0", "SQLMesh"),
    "polars": ("#c77700", "polars"),
    "pandas": ("#3b7d3b", "pandas"),
}


GROWTH = PROJECT / "docs" / "images" / "performance-growth.png"
AXES = {
    "quarters": "Quarters of history",
    "members": "Member cities",
    "responses": "Survey responses of a year",
    "accounts": "Instagram accounts",
}
COSTS = {
    "first": ("#1f6f8b", "first night"),
    "night": ("#b3123b", "a night without news"),
    "protect_all": ("#c77700", "protection of all quarters"),
}


def draw_growth(results: Path, picture: Path) -> None:
    """A panel for each axis with two points or more: processor seconds of nights and of the protection."""
    import matplotlib as mpl
    import matplotlib.pyplot as plt

    mpl.use("Agg")
    points = json.loads(results.read_text(encoding="utf-8"))["found"]["points"]
    by_axis = {axis: sorted((p for p in points if p["axis"] == axis), key=_size) for axis in AXES}
    shown = {axis: found for axis, found in by_axis.items() if len(found) > 1}
    columns = min(2, len(shown))
    rows = math.ceil(len(shown) / columns)
    figure, panels = plt.subplots(
        rows, columns, figsize=(5.5 * columns, 4.2 * rows), layout="constrained", squeeze=False
    )
    for panel in panels.flat[len(shown) :]:
        panel.set_visible(False)
    for panel, (axis, found) in zip(panels.flat, shown.items(), strict=False):
        sizes, ends = [_size(point) for point in found], []
        for cost, (colour, label) in COSTS.items():
            values = [point[cost] for point in found]
            panel.plot(sizes, values, color=colour, marker="o", markersize=4, linewidth=1.8)
            ends.append((values[-1], sizes[-1], label, colour))
        _name_lines(panel, ends)
        panel.set(title="Processor seconds", xlabel=AXES[axis])
        _scale(panel, {size: f"{size:,}" for size in sizes}, room=(sizes[-1] / sizes[0]) ** 0.6)
    picture.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(picture, dpi=110)
    plt.close(figure)


def _size(point: dict[str, Any]) -> int:
    return int(point["size"])


def draw(results: Path, picture: Path) -> None:
    """Two panels, both axes logarithmic, each line named at its end."""
    import matplotlib as mpl
    import matplotlib.pyplot as plt

    mpl.use("Agg")
    found = json.loads(results.read_text(encoding="utf-8"))["found"]
    figure, panels = plt.subplots(1, 2, figsize=(11, 5), layout="constrained")
    told = (("seconds", "Seconds, with tests", _median), ("peak", "Most memory in MB, with tests", max))
    for panel, (key, title, fold) in zip(panels, told, strict=True):
        ends = []
        for name, (colour, label) in SHOWN.items():
            points = [
                (int(rows), fold(turns[f"{name} + tests"][key]))
                for rows, turns in found.items()
                if f"{name} + tests" in turns
            ]
            if not points:
                continue
            rows, values = zip(*sorted(points), strict=True)
            width = 2.4 if name == "runner" else 1.4
            panel.plot(rows, values, color=colour, marker="o", markersize=4, linewidth=width)
            ends.append((values[-1], rows[-1], label, colour))
        _name_lines(panel, ends)
        panel.set(title=title, xlabel="Survey responses, and as many social figures")
        sizes = sorted(int(rows) for rows in found)
        _scale(panel, {rows: f"{rows / 1_000_000:g} M" for rows in sizes}, room=4)
        bottom, top = panel.get_ylim()
        panel.set_ylim(bottom, top * 2)  # room under the title
    picture.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(picture, dpi=110)
    plt.close(figure)


def _scale(panel: Any, sizes: dict[int, str], room: float) -> None:
    """Logarithmic axes. ``room``: factor by which the horizontal one is longer than its lines, for their names."""
    import matplotlib.ticker

    panel.set(xscale="log", yscale="log")
    panel.grid(visible=True, which="major", alpha=0.25)
    panel.spines[["top", "right"]].set_visible(False)
    low, high = panel.get_xlim()
    panel.set_xlim(low, high * room)
    panel.set_xticks(list(sizes), list(sizes.values()), minor=False)
    panel.yaxis.set_major_locator(matplotlib.ticker.LogLocator(subs=(1, 2, 5)))
    panel.yaxis.set_major_formatter("{x:g}")
    panel.minorticks_off()


def _name_lines(panel: Any, ends: list[tuple[float, int, str, str]]) -> None:
    """Names next to the last points, pushed apart where they would touch."""
    values = [float(value) for line in panel.lines for value in line.get_ydata()]
    step = (max(values) / min(values)) ** 0.045  # the axis is logarithmic: a line of text is a factor
    last = 0.0
    for value, rows, label, colour in sorted(ends):
        last = max(value, last * step)
        panel.text(rows * 1.25, last, label, color=colour, va="center", fontsize=9)


def _median(values: list[float]) -> float:
    ordered = sorted(values)
    return (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2


if __name__ == "__main__":
    for work, name, picture in ((draw, "sql_models", PICTURE), (draw_growth, "scaling", GROWTH)):
        if (found := HOME / "results" / f"{name}.json").exists():
            work(found, picture)
            print(f"Drawn: {picture.relative_to(PROJECT)}")
