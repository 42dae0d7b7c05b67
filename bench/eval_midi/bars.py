"""Bars, metre, key and chords of the rendered pieces, which know their own."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import mir_eval
import numpy as np

from antiphon.music.analysis import NO_CHORD, MusicAnalysis
from antiphon.music.harmony.key import SHARPS
from bench import results
from bench.eval_midi import scores
from bench.eval_midi.chain import Chain
from bench.eval_midi.compose import compose
from bench.eval_midi.meters import METER_STYLES, signatures
from bench.eval_midi.render import read_truth, rendered
from bench.eval_midi.setup import Figures, Row, Setup, figure, mean
from bench.eval_midi.styles import Style

Choice = tuple[Style, str]
SUFFIXES = {"": ":maj", "m": ":min", "5": ":5", "7": ":7", "m7": ":min7", "maj7": ":maj7", "m7b5": ":hdim7"}
"""mir_eval's word for a chord, by ours."""


@dataclass(frozen=True, slots=True)
class Found:
    """F measures of beats and downbeats; whether metre and key are right; chord agreement (mir_eval, major and minor
    triads), and the metre and key that were found."""

    beats: float
    downbeats: float
    meter: float
    key: float
    chords: float | str
    named: str


def bars(setup: Setup) -> Figures:
    """Means over the pieces of all styles, and of those of other metres too."""
    styles = [*setup.styles, *(METER_STYLES if len(setup.styles) > 1 else ())]
    choices = [(style, font) for font in setup.fonts for style in styles]
    rows: list[Row] = []
    for (style, font), one in zip(choices, setup.each(_heard, choices), strict=True):
        row: Row = {"piece": f"{style.name}, {font}", "beats": one.beats, "downbeats": one.downbeats}
        rows.append(row | {"meter": one.meter, "key": one.key, "chords": one.chords, "found": one.named})
    print("\nRendered pieces from the mix: F measure of beats and downbeats; metre and key right; chords (majmin)")
    means = mean(rows, "piece")
    results.table([*rows, means])
    names = ("beats", "downbeats", "meter", "key", "chords")
    return {f"bars_{name}": figure(means, name) for name in names} | {"bars_pieces": len(choices)}


def _heard(chain: Chain, choice: Choice) -> Found:
    style, _ = choice
    folder = rendered(*choice, chain.cache)
    _, beats = read_truth(folder)
    stems = chain.stems(folder / "mix.flac")
    found = chain.analysis(stems, chain.notes(stems))
    return Found(
        beats=scores.beats([time for time, _ in beats], found.rhythm.beats),
        downbeats=scores.beats([time for time, position in beats if position == 1], found.rhythm.downbeats),
        meter=float(found.rhythm.meter.name in signatures(style)),
        key=float(found.key is not None and found.key.name == _key(style, found)),
        chords=_agreement(style, [time for time, position in beats if position == 1], found),
        named=f"{found.rhythm.meter.name} {found.key.name if found.key else '-'}",
    )


def _key(style: Style, found: MusicAnalysis) -> str:
    """The key of a style, spelled as the one found spells it."""
    tonic = style.tonic % 12
    return f"{found.key.spelled(tonic) if found.key else SHARPS[tonic]} {'minor' if style.scale[2] == 3 else 'major'}"


def _agreement(style: Style, lines: Sequence[float], found: MusicAnalysis) -> float | str:
    """The share of the time in which the chord is right, where the piece has a major or minor one; "" if nowhere."""
    symbols = style.harmony.split()
    if all(symbol.endswith("5") for symbol in symbols):
        return ""
    true = [symbols[bar % len(symbols)] for bar in range(style.bars)] + symbols[:1]
    spans = np.array([*pairwise(lines), (lines[-1], compose(style).duration)])
    ours = np.array([(chord.start, chord.end) for chord in found.chords]).reshape(-1, 2)
    labels = [_label(found.chord_name(chord)) for chord in found.chords]
    return float(mir_eval.chord.evaluate(spans, [_label(name) for name in true[: len(spans)]], ours, labels)["majmin"])


def _label(symbol: str) -> str:
    if symbol == NO_CHORD:
        return NO_CHORD
    name = symbol.partition("/")[0]
    root = name[:2] if name[1:2] in ("#", "b") else name[:1]
    return root + SUFFIXES[name.removeprefix(root)]
