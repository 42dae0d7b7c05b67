"""The parts of the evaluation: each prints its table and gives the figures to keep."""

import multiprocessing
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from statistics import fmean
from typing import TypeVar

from antiphon.music.audio import inspect
from antiphon.score.notes import Instrument, Note
from bench import results
from bench.eval_midi import scores
from bench.eval_midi.chain import Chain
from bench.eval_midi.families import DRUM_CLASSES, FAMILIES, family
from bench.eval_midi.render import read_truth, rendered
from bench.eval_midi.scores import CORE, DRUM_KEYS, Counts, Sung
from bench.eval_midi.styles import Style

Figures = dict[str, results.Figure]
Row = dict[str, results.Figure]
Work = TypeVar("Work")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Bench:
    """What is evaluated and with what; ``songs`` are folders of the evaluation data."""

    chain: Chain
    songs: Sequence[Path]
    styles: Sequence[Style]
    fonts: Sequence[str]
    jobs: int
    mix_only: bool = False

    def each(self, do: Callable[[Chain, Work], Result], work: Sequence[Work]) -> list[Result]:
        """``do`` on each piece of work, ``jobs`` at a time in processes of their own."""
        if self.jobs == 1 or len(work) == 1:
            return [do(self.chain, one) for one in work]
        with ProcessPoolExecutor(self.jobs, multiprocessing.get_context("spawn")) as pool:
            return list(pool.map(do, [self.chain] * len(work), work))


def _mean(rows: Sequence[Row], name: str) -> Row:
    """The mean of each column's numbers under the rows."""
    mean: Row = {name: "mean"}
    for column in list(rows[0])[1:]:
        known = [float(row[column]) for row in rows if not isinstance(row.get(column, ""), str)]
        mean[column] = fmean(known) if known else ""
    return mean


# Drums of the shared songs


def drums(bench: Bench) -> Figures:
    """Onset F1 by class; ``together`` counts a song's kicks, snares and hi-hats as one, the figure is its mean over the
    songs."""
    songs = [song for song in bench.songs if (song / "drums.txt").exists()]
    figures: Figures = {}
    for name, title, do in (("track", "the drum track", _drum_track), ("mix", "the mix", _drum_mix)):
        rows = [_drum_row(song.name, counts) for song, counts in zip(songs, bench.each(do, songs), strict=True)]
        print(f"\nDrums from {title}: onset F1, or how many were found (negative) of a class that the song has not")
        means = _mean([{column: _share(row[column]) for column in row} for row in rows], "song")
        results.table([*rows, means])
        figures[f"drums_f1_{name}"] = round(float(means["together"]), 3)
    return figures


def _share(value: results.Figure) -> results.Figure:
    return "" if isinstance(value, int) else value


def _drum_track(chain: Chain, song: Path) -> dict[str, Counts]:
    return scores.drums(song / "drums.txt", chain.notes({"drums": song / "drums_only.flac"}))


def _drum_mix(chain: Chain, song: Path) -> dict[str, Counts]:
    return scores.drums(song / "drums.txt", chain.notes({"drums": chain.stems(song / "mix.flac")["drums"]}))


def _drum_row(song: str, counts: Mapping[str, Counts]) -> Row:
    row: Row = {"song": song}
    row |= {kind: counts[kind].f1 if counts[kind].true else -counts[kind].found for kind in DRUM_KEYS}
    return row | {"together": scores.total(counts[kind] for kind in CORE).f1}


# Vocals of the shared songs


def vocals(bench: Bench) -> Figures:
    """Raw pitch accuracy and overall accuracy, as ``scores.vocals`` has them; the figures are means over the songs."""
    songs = [song for song in bench.songs if (song / "vocals_f0.csv").exists()]
    stems, mixes = bench.each(_vocal_stem, songs), bench.each(_vocal_mix, songs)
    rows: list[Row] = []
    for song, stem, mix in zip(songs, stems, mixes, strict=True):
        rows.append({"song": song.name, **_sung("stem", stem), **_sung("mix", mix)})
    means = _mean(rows, "song")
    print("\nVocals from the true stem and from the mix: raw pitch and overall accuracy, missed, false alarms")
    results.table([*rows, means])
    keys = ("rpa_stem", "oa_stem", "rpa_mix", "oa_mix")
    return {f"vocals_{key}": round(float(means[key]), 3) for key in keys}


def _sung(name: str, sung: Sung) -> Row:
    return {
        f"rpa_{name}": sung.rpa,
        f"oa_{name}": sung.oa,
        f"miss_{name}": sung.missed,
        f"false_{name}": sung.false_alarm,
    }


def _vocal_stem(chain: Chain, song: Path) -> Sung:
    return scores.vocals(song / "vocals_f0.csv", _pitched(chain.notes({"vocal": song / "vocals.flac"})))


def _vocal_mix(chain: Chain, song: Path) -> Sung:
    """All stems are transcribed, as of any song; what is written for a voice counts."""
    found = chain.notes(chain.stems(song / "mix.flac"))
    voices = [instrument for instrument in found if family(instrument) == "vocals"]
    return scores.vocals(song / "vocals_f0.csv", _pitched(voices))


def _pitched(instruments: Sequence[Instrument]) -> list[Note]:
    return [note for instrument in instruments if not instrument.is_drum for note in instrument.notes]


# Beats of the shared songs


def beats(bench: Bench) -> Figures:
    """F measure of the beats (70 ms) from the mix, through the separation."""
    songs = [song for song in bench.songs if (song / "beats.txt").exists()]
    found = bench.each(_beats, songs)
    rows: list[Row] = []
    for song, times in zip(songs, found, strict=True):
        true = _annotated(song)
        doubled = [(a + b) / 2 for a, b in pairwise(true)]
        other = max(scores.beats(sorted(true + doubled), times), scores.beats(true[::2], times))
        other = max(other, scores.beats(true[1::2], times))
        rows.append({"song": song.name, "f": scores.beats(true, times), "f_half_or_double": other})
    means = _mean(rows, "song")
    print("\nBeats from the mix: F measure, and what it would be were half or double the tempo meant")
    results.table([*rows, means])
    return {"beats_f": round(float(means["f"]), 3)}


def _annotated(song: Path) -> list[float]:
    lines = (song / "beats.txt").read_text(encoding="utf-8").splitlines()
    return [float(line.split()[0]) for line in lines if line.strip()]


def _beats(chain: Chain, song: Path) -> list[float]:
    mix = song / "mix.flac"
    return chain.beats(chain.stems(mix), inspect(mix, max_duration=3600.0).duration)


# Pieces of our own


@dataclass(frozen=True, slots=True)
class Heard:
    """One rendered piece: counts by family and drum class from the mix and, each by itself, from the true stems."""

    mix: dict[str, Counts]
    stems: dict[str, Counts]
    beats: float


def rendered_pieces(bench: Bench) -> Figures:
    """Onset F1 by family, and of all together: the multi-instrument onset F1, a mean over the pieces."""
    work = [(style, font) for font in bench.fonts for style in bench.styles]
    heard = bench.each(_piece_mix if bench.mix_only else _piece, work)
    for source in ("mix",) if bench.mix_only else ("stems", "mix"):
        rows: list[Row] = []
        for (style, font), one in zip(work, heard, strict=True):
            counts = one.stems if source == "stems" else one.mix
            rows.append({"piece": f"{style.name}, {font}", **_family_row(counts), "beats": one.beats})
        print(f"\nRendered pieces from {'each true stem by itself' if source == 'stems' else 'the mix'}: onset F1")
        means = _mean(rows, "piece")
        results.table([*rows, means])
    figures: Figures = {"multi_f1_mix": round(float(means["multi"]), 3)}
    figures |= {f"{name}_onset_f1_mix": round(float(means[name]), 3) for name in FAMILIES if means[name] != ""}
    return figures | {"rendered_pieces": len(rows)}


def _piece_mix(chain: Chain, work: tuple[Style, str]) -> Heard:
    folder = rendered(*work, chain.cache)
    truth, true_beats = read_truth(folder)
    stems = chain.stems(folder / "mix.flac")
    found = chain.beats(stems, true_beats[-1] + 1)
    return Heard(scores.multi(truth, chain.notes(stems)), {}, scores.beats(true_beats, found))


def _piece(chain: Chain, work: tuple[Style, str]) -> Heard:
    folder = rendered(*work, chain.cache)
    truth, _ = read_truth(folder)
    alone: dict[str, Counts] = {}
    for name in FAMILIES:
        path = folder / f"{name}.flac"
        if path.exists():
            own = [instrument for instrument in truth if family(instrument) == name]
            alone |= scores.multi(own, chain.notes({"vocal" if name == "vocals" else name: path}))
    return replace(_piece_mix(chain, work), stems=alone)


def _family_row(counts: Mapping[str, Counts]) -> Row:
    row: Row = {}
    for name in FAMILIES:
        kinds = DRUM_CLASSES if name == "drums" else (name,)
        one = scores.total(counts[kind] for kind in kinds if kind in counts)
        row[name] = one.f1 if one.true else ""
    return row | {"multi": scores.total(counts.values()).f1}
