"""The rendered pieces once more, out of tune and without drums."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import soxr
from numpy.typing import NDArray

from antiphon.music.audio import Writer, decode
from antiphon.score.notes import InstrumentPart
from bench import results
from bench.eval_midi import scores
from bench.eval_midi.chain import Chain
from bench.eval_midi.families import FAMILIES
from bench.eval_midi.render import RATE, read_truth, rendered
from bench.eval_midi.setup import Figures, Row, Setup, figure, mean
from bench.eval_midi.styles import Style

CENTS = (-50, -32, -20, 20, 32, 50)
HALF_SEMITONE = 50
"""Cents at which a piece may be written down in either of two keys."""
DETUNED_STYLES = ("ballad", "waltz", "soul")
"""The styles that are also played out of tune."""
Choice = tuple[Style, str]
Sound = NDArray[np.float32]


def variants(setup: Setup) -> Figures:
    """Multi-instrument onset F1 of pieces out of tune, beside that in tune, and of pieces without their drums."""
    font = setup.fonts[0]
    tuned = [(style, font) for style in setup.styles if style.name in DETUNED_STYLES]
    rows = setup.each(_detuned, tuned)
    print("\nRendered pieces out of tune, from the mix: multi-instrument onset F1 by cents")
    means = _table(rows)
    out = [value for cents in CENTS if isinstance(value := means[str(cents)], float)]
    figures: Figures = {
        "multi_f1_detuned": round(float(np.mean(out)), 3),
        "multi_f1_detuned_in_tune": figure(means, "0"),
    }
    rows = setup.each(_drumless, [(style, font) for style in setup.styles])
    print("\nRendered pieces without drums, from the mix: multi-instrument onset F1")
    return figures | {"multi_f1_drumless": figure(_table(rows), "multi")}


def _table(rows: Sequence[Row]) -> Row:
    means = mean(rows, "piece")
    results.table([*rows, means])
    return means


def _detuned(chain: Chain, choice: Choice) -> Row:
    folder = rendered(*choice, chain.cache)
    truth, _ = read_truth(folder)
    row: Row = {"piece": choice[0].name}
    for cents in (0, *CENTS):
        ratio = 2 ** (cents / 1200)
        mix = _kept(folder / f"mix{cents:+d}.flac", partial(_faster, folder / "mix.flac", ratio))
        found = chain.notes(chain.stems(mix))
        played = [_moved(one, ratio) for one in truth]
        keys = (0, -1 if cents < 0 else 1) if abs(cents) == HALF_SEMITONE else (0,)
        row[str(cents)] = max(
            scores.total(scores.multi([_transposed(one, key) for one in played], found).values()).f1 for key in keys
        )
    return row


def _drumless(chain: Chain, choice: Choice) -> Row:
    folder = rendered(*choice, chain.cache)
    truth, _ = read_truth(folder)

    def band() -> Sound:
        stems = [folder / f"{name}.flac" for name in FAMILIES if name != "drums"]
        sounds = [decode(path, sample_rate=RATE, channels=2) for path in stems if path.exists()]
        total = np.zeros((max(map(len, sounds)), 2), np.float32)
        for sound in sounds:
            total[: len(sound)] += sound
        return total

    mix = _kept(folder / "mix-drumless.flac", band)
    played = [one for one in truth if not one.is_drum]
    found = chain.notes(chain.stems(mix))
    counts = scores.multi(played, found)
    return {"piece": choice[0].name, "multi": scores.total(counts.values()).f1, "instruments": len(found)}


def _kept(path: Path, make: Callable[[], Sound]) -> Path:
    """The file ``path``, made if it is not there yet."""
    if not path.exists():
        scratch = path.with_name(f".{path.name}")
        with Writer(scratch, RATE, 2, "flac") as writer:
            writer.write(make())
        scratch.replace(path)
    return path


def _faster(path: Path, ratio: float) -> Sound:
    """A file played so many times as fast, and so much higher."""
    return np.asarray(soxr.resample(decode(path, sample_rate=RATE, channels=2), RATE * ratio, RATE), np.float32)


def _moved(instrument: InstrumentPart, ratio: float) -> InstrumentPart:
    notes = (replace(note, start=note.start / ratio, end=note.end / ratio) for note in instrument.notes)
    return replace(instrument, notes=tuple(notes))


def _transposed(instrument: InstrumentPart, semitones: int) -> InstrumentPart:
    if instrument.is_drum or not semitones:
        return instrument
    return replace(instrument, notes=tuple(replace(note, pitch=note.pitch + semitones) for note in instrument.notes))
