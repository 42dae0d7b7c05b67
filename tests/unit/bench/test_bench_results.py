"""What a measurement leaves behind."""

import json
import runpy
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from bench import receiving
from bench import results as results_of
from tests.paths import ROOT

Names = dict[str, Callable[..., Path]]
RESULTS = ROOT / "bench" / "results.py"


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


def test_the_receivers_figures_stand_beside_their_targets_met_or_not() -> None:
    good: dict[str, results_of.Figure] = {
        **{"acks_per_s": 2000, "ack_p99_ms": 49.9, "ack_p99_ms_while_downloading": 40.0},
        **{"rss_mb": 50.0, "install_mb": 21.5, "import_ms": 67.0},
    }
    assert {row["target met"] for row in receiving.judge(good)} == {"yes"}
    bad = {**good, "acks_per_s": 1999, "ack_p99_ms_while_downloading": 50.0, "rss_mb": 120.0}
    missed = [row["figure"] for row in receiving.judge(bad) if row["target met"] == "NO"]
    assert missed == ["acks_per_s", "ack_p99_ms_while_downloading", "rss_mb"]
    with pytest.raises(KeyError, match="rss_mb"):
        receiving.judge({name: figure for name, figure in good.items() if name != "rss_mb"})
