"""What a run of the evaluation is told, and how its work is spread over processes."""

import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import TypeVar

from bench import results
from bench.eval_midi.chain import Chain
from bench.eval_midi.contender import AdtLib, BasicPitch
from bench.eval_midi.styles import Style

Figures = dict[str, results.Figure]
Row = dict[str, results.Figure]
Work = TypeVar("Work")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Setup:
    """What is evaluated and with what: ``songs`` are folders of the evaluation data; without ``stems`` the rendered
    pieces are not also transcribed from their true stems; what has no rival is not compared."""

    chain: Chain
    songs: Sequence[Path]
    styles: Sequence[Style]
    fonts: Sequence[str]
    jobs: int
    stems: bool = True
    rival: BasicPitch | None = None
    drum_rival: AdtLib | None = None

    def each(self, do: Callable[[Chain, Work], Result], work: Sequence[Work]) -> list[Result]:
        """``do`` on each piece of work, ``jobs`` at a time in processes of their own."""
        if self.jobs == 1 or len(work) == 1:
            return [do(self.chain, one) for one in work]
        with ProcessPoolExecutor(self.jobs, multiprocessing.get_context("spawn")) as pool:
            return list(pool.map(do, [self.chain] * len(work), work))

    def annotated(self, name: str) -> list[Path]:
        """The songs that have the annotation ``name``."""
        return [song for song in self.songs if (song / name).exists()]


def mean(rows: Sequence[Row], name: str) -> Row:
    """The mean of each column's floats, to stand under the rows; whole numbers are no scores."""
    under: Row = {name: "mean"}
    for column in list(rows[0])[1:]:
        known = [value for row in rows if isinstance(value := row.get(column, ""), float)]
        under[column] = fmean(known) if known else ""
    return under


def figure(row: Row, column: str) -> results.Figure:
    """A mean as it is kept: three decimals."""
    value = row[column]
    return round(value, 3) if isinstance(value, float) else value
