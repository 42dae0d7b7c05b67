"""Pieces of our own, rendered: every note of every instrument is known."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from antiphon.score.notes import InstrumentPart, Note
from bench import results
from bench.eval_midi import playing, scores
from bench.eval_midi.chain import Chain
from bench.eval_midi.contender import BasicPitch
from bench.eval_midi.families import DRUM_CLASSES, FAMILIES, family
from bench.eval_midi.render import read_truth, rendered
from bench.eval_midi.scores import Counts
from bench.eval_midi.setup import Figures, Row, Setup, figure, mean
from bench.eval_midi.styles import Style

Choice = tuple[Style, str]
"""A style and the soundfont that it is played with."""
PITCHED = ("bass", "vocals", "other")


@dataclass(frozen=True, slots=True)
class Heard:
    """One piece: counts by family and drum class from the mix and, each by itself, from the true stems; from the mix
    also those of the pitched notes whatever their family, the F measures of beats and downbeats, and what a musician
    would find wrong with it (``playing``)."""

    mix: dict[str, Counts]
    pitched: Counts
    beats: float
    downbeats: float
    stems: dict[str, Counts]
    playing: Row


def rendered_pieces(setup: Setup) -> Figures:
    """Onset F1 by family, and of all together: the multi-instrument onset F1, a mean over the pieces."""
    choices = [(style, font) for font in setup.fonts for style in setup.styles]
    heard = setup.each(_piece if setup.stems else _piece_mix, choices)
    figures: Figures = {}
    if setup.stems:
        print("\nRendered pieces, each true stem by itself: onset F1")
        figures["other_f1_true_stems"] = figure(_table(choices, [_by_family(one.stems) for one in heard]), "other")
    print("\nRendered pieces from the mix: onset F1; F measure of beats and downbeats")
    rows = [_by_family(one.mix) | {"beats": one.beats, "downbeats": one.downbeats} for one in heard]
    means = _table(choices, rows)
    figures |= {"rendered_pieces": len(choices), "multi_f1_mix": figure(means, "multi")}
    figures |= {f"{name}_onset_f1_mix": figure(means, name) for name in FAMILIES if means[name] != ""}
    figures |= {f"rendered_{name}_f": figure(means, name) for name in ("beats", "downbeats")}
    print("\nRendered pieces from the mix: what a musician would find wrong")
    means = _table(choices, [one.playing for one in heard])
    figures |= {name: figure(means, name) for name in heard[0].playing}
    return figures | (_rival(setup, setup.rival, choices, heard) if setup.rival else {})


def _table(choices: Sequence[Choice], rows: Sequence[Row]) -> Row:
    named = [Row({"piece": f"{style.name}, {font}"}) | row for (style, font), row in zip(choices, rows, strict=True)]
    means = mean(named, "piece")
    results.table([*named, means])
    return means


def _by_family(counts: Mapping[str, Counts]) -> Row:
    row: Row = {}
    for name in FAMILIES:
        kinds = DRUM_CLASSES if name == "drums" else (name,)
        one = scores.total(counts[kind] for kind in kinds if kind in counts)
        row[name] = one.f1 if one.true else -one.found
    return row | {"multi": scores.total(counts.values()).f1}


def _piece_mix(chain: Chain, choice: Choice) -> Heard:
    folder = rendered(*choice, chain.cache)
    truth, beats = read_truth(folder)
    stems = chain.stems(folder / "mix.flac")
    found = chain.notes(stems)
    rhythm = chain.rhythm(stems, found)
    return Heard(
        mix=scores.multi(truth, found),
        pitched=scores.without_family(_played(truth), _notes(found)),
        beats=scores.beats([time for time, _ in beats], rhythm.beats),
        downbeats=scores.beats([time for time, position in beats if position == 1], rhythm.downbeats),
        stems={},
        playing=_playing(truth, found, beats[-1][0]),
    )


def _playing(truth: Sequence[InstrumentPart], found: Sequence[InstrumentPart], seconds: float) -> Row:
    named, matched = playing.naming(truth, found)
    correlation = playing.velocity_correlation(truth, found)
    return {
        "restrikes": playing.restrikes(truth, found),
        "phantoms_per_min": 60 * playing.phantoms(truth, found) / seconds,
        "phantom_instruments": float(playing.phantom_instruments(truth, found)),
        "count_error": float(playing.count_error(truth, found)),
        "naming_accuracy": named / matched if matched else "",
        "velocity_corr": "" if correlation is None else correlation,
    }


def _piece(chain: Chain, choice: Choice) -> Heard:
    heard = _piece_mix(chain, choice)
    folder = rendered(*choice, chain.cache)
    truth, _ = read_truth(folder)
    for name in FAMILIES:
        own = [instrument for instrument in truth if family(instrument) == name]
        if own:
            stem = "vocal" if name == "vocals" else name
            heard.stems.update(scores.multi(own, chain.notes({stem: folder / f"{name}.flac"})))
    return heard


def _played(instruments: Sequence[InstrumentPart]) -> list[InstrumentPart]:
    return [instrument for instrument in instruments if not instrument.is_drum]


def _notes(instruments: Sequence[InstrumentPart]) -> list[Note]:
    return [note for instrument in _played(instruments) for note in instrument.notes]


def _rival(setup: Setup, rival: BasicPitch, choices: Sequence[Choice], heard: Sequence[Heard]) -> Figures:
    """basic-pitch writes one instrument down and no drums. Its ``multi`` lets each of its notes count for the family
    that it fits best; ``one_family`` takes all for one instrument, of the family that gives most. ``pitched``
    leaves the drums and the families out on both sides."""
    folders = [rendered(*choice, setup.chain.cache) for choice in choices]
    rows: list[Row] = []
    for folder, one, found in zip(
        folders, heard, rival.notes([folder / "mix.flac" for folder in folders]), strict=True
    ):
        truth, _ = read_truth(folder)
        ours = scores.total(one.mix.values()).f1
        row: Row = {"multi": scores.without_family(truth, found).f1, "ours": ours}
        row["one_family"] = max(scores.one_family(truth, found, name).f1 for name in PITCHED)
        row["pitched"] = scores.without_family(_played(truth), found).f1
        rows.append(row | {"pitched_ours": one.pitched.f1})
    print("\nRendered pieces from the mix by basic-pitch: multi-instrument F1, and that of pitched notes of any family")
    means = _table(choices, rows)
    _rival_stems(setup, rival, choices)
    return {"basic_pitch_multi_f1_mix": figure(means, "multi")} | {
        f"pitched_f1_mix{side}": figure(means, f"pitched{side}") for side in ("", "_ours")
    }


def _rival_stems(setup: Setup, rival: BasicPitch, choices: Sequence[Choice]) -> None:
    """On the true stems, of the first soundfont only: it is slow."""
    chosen = [choice for choice in choices if setup.stems and choice[1] == setup.fonts[0]]
    folders = [rendered(*choice, setup.chain.cache) for choice in chosen]
    files = [path for folder in folders for name in PITCHED if (path := folder / f"{name}.flac").exists()]
    found = dict(zip(files, rival.notes(files), strict=True))
    rows: list[Row] = []
    for folder in folders:
        truth, _ = read_truth(folder)
        row: Row = {}
        for name in PITCHED:
            own = [instrument for instrument in truth if family(instrument) == name]
            row[name] = scores.without_family(own, found[folder / f"{name}.flac"]).f1 if own else ""
        rows.append(row)
    if chosen:
        print("\nRendered pieces, each true stem by itself, by basic-pitch: onset F1")
        _table(chosen, rows)
