"""How well bars are found in the pieces kept for validation.

python -m training.rhythm.validate WORK
"""

import argparse
import pickle
from collections import Counter
from pathlib import Path

import mir_eval
import numpy as np

from antiphon.music.rhythm.bars import Bars, count
from antiphon.music.rhythm.features import around
from antiphon.music.rhythm.judge import judge
from antiphon.music.rhythm.song import level_score
from training.rhythm.candidates import Candidates, Grid

GROUPS = {"7/4": "7/8"}
"""Metres that are written either way."""


def choose(piece: Candidates) -> tuple[Grid, Bars]:
    """The grid that the product would take, and its bars."""
    best: tuple[float, Grid, Bars] | None = None
    for grid in piece.grids:
        verdict, bpm = judge(grid.features), 60 / float(np.median(np.diff(grid.beats)))
        bars = count(verdict, bpm)
        onsets = around(piece.song.listened.strength[:, None], grid.beats)[:, 0]
        score = level_score(onsets, bpm, verdict)
        if best is None or score > best[0]:
            best = score, grid, bars
    assert best is not None
    return best[1], best[2]


def main() -> None:
    parser = argparse.ArgumentParser(description="Score the judge of bars.")
    parser.add_argument("work", type=Path)
    parser.add_argument("--all", action="store_true", help="a line for each piece that is wrong")
    asked = parser.parse_args()
    found = pickle.loads((asked.work / "candidates.pickle").read_bytes())["valid"]
    beats, downs, right, possible = [], [], Counter[str](), Counter[str]()
    for piece in found:
        true = np.array([time for time, _ in piece.known["beats"]])
        lines = np.array([time for time, place in piece.known["beats"] if place == 1])
        grid, bars = choose(piece)
        inside = (grid.beats > true[0] - 0.3) & (grid.beats < true[-1] + 0.3)
        beats.append(mir_eval.beat.f_measure(true, grid.beats[inside]))
        downs.append(mir_eval.beat.f_measure(lines, grid.beats[inside & (bars.positions == 0)]))
        wanted = "{}/{}".format(*piece.known["meter"])
        wanted = GROUPS.get(wanted, wanted)
        is_right = GROUPS.get(bars.meter.name, bars.meter.name) == wanted
        right[wanted] += is_right
        possible[wanted] += 1
        if asked.all and (not is_right or downs[-1] < 0.8):
            bpm = 60 / np.median(np.diff(grid.beats))
            print(
                piece.name,
                piece.known["style"],
                wanted,
                bars.meter.name,
                f"{piece.known['bpm']:.0f} {bpm:.0f}",
                f"{beats[-1]:.2f} {downs[-1]:.2f}",
                any(one.felt for one in piece.grids),
            )
    print(f"beats {np.mean(beats):.3f} downbeats {np.mean(downs):.3f} metre {sum(right.values()) / len(found):.3f}")
    print({name: f"{right[name]}/{possible[name]}" for name in possible})


if __name__ == "__main__":
    main()
