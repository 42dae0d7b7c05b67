"""Where every measurement ends: a table for the reader and one flat JSON object for the record."""

import json
import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

Figure = float | int | str

FOLDER = Path(__file__).parent / "results"
RESERVED = ("date", "command", "cores")


def cores() -> int:
    """Processor cores that this process may use (a container's or ``taskset``'s share, not the machine's)."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def write(target: str, figures: Mapping[str, Figure], command: str) -> Path:
    """Writes ``bench/results/<target>.json``: the figures, then ``date`` (UTC, ISO 8601), ``command`` and
    ``cores``. Returns its path. Raises ValueError when a figure takes one of these three names."""
    taken = [name for name in RESERVED if name in figures]
    if taken:
        raise ValueError(f"these names are set by the result itself: {', '.join(taken)}")
    result: dict[str, Figure] = dict(figures)
    result["date"] = datetime.now(UTC).isoformat(timespec="seconds")
    result["command"] = command
    result["cores"] = cores()
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / f"{target}.json"
    path.write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def table(rows: Sequence[Mapping[str, Figure]]) -> None:
    """Prints the rows under the first row's keys: text to the left, numbers to the right, floats with three
    significant digits. A missing or empty cell stays empty."""
    if not rows:
        print("(no rows)")
        return
    columns = list(rows[0])
    cells = [[_shown(row.get(column, "")) for column in columns] for row in rows]
    numeric = [all(row.get(column, "") == "" or not isinstance(row[column], str) for row in rows) for column in columns]
    widths = [max(len(line[i]) for line in [columns, *cells]) for i in range(len(columns))]
    for line in [columns, ["-" * width for width in widths], *cells]:
        aligned = [
            text.rjust(width) if right else text.ljust(width)
            for text, width, right in zip(line, widths, numeric, strict=True)
        ]
        print("  ".join(aligned).rstrip())


def _shown(value: Figure) -> str:
    if isinstance(value, float):
        return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"
    return str(value)
