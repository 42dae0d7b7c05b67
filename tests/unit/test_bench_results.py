"""What a measurement leaves behind."""

import json
import runpy
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

Names = dict[str, Callable[..., Path]]
RESULTS = Path(__file__).parents[2] / "bench" / "results.py"


@pytest.fixture
def results(tmp_path: Path) -> Names:
    """The module's names; it writes beside itself, here in a folder of the test's own."""
    copy = tmp_path / "results.py"
    copy.write_bytes(RESULTS.read_bytes())
    return runpy.run_path(str(copy))


def test_a_result_is_one_flat_object_with_date_command_and_cores(tmp_path: Path, results: Names) -> None:
    path = results["write"](
        "bench-something", {"separation_rtf": 0.07, "songs": 3, "note": "é"}, "make bench-something"
    )
    written = json.loads(path.read_text(encoding="utf-8"))
    assert path == tmp_path / "results" / "bench-something.json"
    assert written["separation_rtf"] == 0.07
    assert written["command"] == "make bench-something"
    assert written["cores"] >= 1
    assert datetime.fromisoformat(written["date"]).tzinfo is not None
    assert all(isinstance(value, int | float | str) for value in written.values())


def test_a_figure_may_not_take_a_name_of_the_result_itself(results: Names) -> None:
    with pytest.raises(ValueError, match="date"):
        results["write"]("bench-something", {"date": "yesterday"}, "make bench-something")


def test_a_table_aligns_numbers_right_and_leaves_missing_cells_empty(
    results: Names, capsys: pytest.CaptureFixture[str]
) -> None:
    results["table"]([{"song": "one", "sdr": 9.8765}, {"song": "another", "sdr": ""}, {"song": "third", "sdr": 10.5}])
    assert capsys.readouterr().out.splitlines() == [
        "song      sdr",
        "-------  ----",
        "one      9.88",
        "another",
        "third    10.5",
    ]
