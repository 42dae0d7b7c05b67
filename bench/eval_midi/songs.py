"""The shared songs: drums, vocals, beats, each against its annotation."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from antiphon.score.notes import InstrumentPart, Note
from bench import results
from bench.eval_midi import scores
from bench.eval_midi.chain import Chain
from bench.eval_midi.contender import SUNG, AdtLib
from bench.eval_midi.families import family
from bench.eval_midi.scores import CORE, DRUM_KEYS, Counts, Sung
from bench.eval_midi.setup import Figures, Row, Setup, figure, mean


def drums(setup: Setup) -> Figures:
    """Onset F1 by class; ``together`` counts a song's kicks, snares and hi-hats as one, the figure is its mean over the
    songs."""
    songs = setup.annotated("drums.txt")
    figures: Figures = {}
    for name, title, do in (("track", "the drum track", _drum_track), ("mix", "the mix", _drum_mix)):
        rows = [_drum_row(song.name, counts) for song, counts in zip(songs, setup.each(do, songs), strict=True)]
        print(f"\nDrums from {title}: onset F1, or how many were found (negative) of a class that the song has not")
        means = mean(rows, "song")
        results.table([*rows, means])
        figures[f"drums_f1_{name}"] = figure(means, "together")
        figures |= {f"drums_f1_{name}_{kind.lower()}": figure(means, kind) for kind in DRUM_KEYS if means[kind] != ""}
    return figures | (_drum_rival(setup, setup.drum_rival, songs) if setup.drum_rival else {})


def _drum_rival(setup: Setup, rival: AdtLib, songs: Sequence[Path]) -> Figures:
    """ADTLib on the drum track, on the drum stem of our separation, and straight on the mix."""
    if not rival.installed:
        print("\nADTLib is not compared: it needs Python 3.7 (make eval-midi PYTHON37=/path/to/python3.7)")
        return {}
    sources = {
        "track": [song / "drums_only.flac" for song in songs],
        "mix": [setup.chain.stems(song / "mix.flac")["drums"] for song in songs],
        "mix_straight": [song / "mix.flac" for song in songs],
    }
    figures: Figures = {}
    for name, files in sources.items():
        rows: list[Row] = []
        for song, hits in zip(songs, rival.hits(files), strict=True):
            truth = scores.drum_truth(song / "drums.txt")
            counts = {kind: scores.events(truth[kind], sorted(hits.get(kind, []))) for kind in DRUM_KEYS}
            rows.append(_drum_row(song.name, counts))
        print(f"\nDrums by ADTLib, {name.replace('_', ', ')}: onset F1")
        means = mean(rows, "song")
        results.table([*rows, means])
        figures[f"adtlib_drums_f1_{name}"] = figure(means, "together")
    return figures


def _drum_track(chain: Chain, song: Path) -> dict[str, Counts]:
    return scores.drums(song / "drums.txt", chain.notes({"drums": song / "drums_only.flac"}))


def _drum_mix(chain: Chain, song: Path) -> dict[str, Counts]:
    found = {name: path for name, path in chain.stems(song / "mix.flac").items() if name == "drums"}
    return scores.drums(song / "drums.txt", chain.notes(found) if found else [])


def _drum_row(song: str, counts: Mapping[str, Counts]) -> Row:
    row: Row = {"song": song}
    row |= {kind: counts[kind].f1 if counts[kind].true else -counts[kind].found for kind in DRUM_KEYS}
    return row | {"together": scores.total(counts[kind] for kind in CORE).f1}


def vocals(setup: Setup) -> Figures:
    """Raw pitch accuracy and overall accuracy, as ``scores.vocals`` has them; the figures are means over the songs."""
    songs = setup.annotated("vocals_f0.csv")
    both = list(zip(setup.each(_vocal_stem, songs), setup.each(_vocal_mix, songs), strict=True))
    print("\nVocals from the true stem and from the mix: raw pitch and overall accuracy, missed, false alarms")
    figures = {f"vocals_{key}": value for key, value in _sung_table(songs, both).items()}
    if setup.rival:
        sides = [[song / f"{side}.flac" for song in songs] for side in ("vocals", "mix")]
        heard = zip(*(setup.rival.notes(files, SUNG) for files in sides), strict=True)
        both = [
            (scores.vocals(song / "vocals_f0.csv", stem), scores.vocals(song / "vocals_f0.csv", mix))
            for song, (stem, mix) in zip(songs, heard, strict=True)
        ]
        print("\nVocals by basic-pitch (70 to 1200 Hz), from the true stem and straight from the mix")
        figures |= {f"basic_pitch_vocals_{key}": value for key, value in _sung_table(songs, both).items()}
    return figures


def _sung_table(songs: Sequence[Path], both: Sequence[tuple[Sung, Sung]]) -> Figures:
    rows: list[Row] = []
    for song, sides in zip(songs, both, strict=True):
        row: Row = {"song": song.name}
        for name, sung in zip(("stem", "mix"), sides, strict=True):
            row |= {f"rpa_{name}": sung.rpa, f"oa_{name}": sung.oa}
            row |= {f"miss_{name}": sung.missed, f"false_{name}": sung.false_alarm}
        rows.append(row)
    means = mean(rows, "song")
    results.table([*rows, means])
    return {key: figure(means, key) for key in ("rpa_stem", "oa_stem", "rpa_mix", "oa_mix")}


def _vocal_stem(chain: Chain, song: Path) -> Sung:
    return scores.vocals(song / "vocals_f0.csv", _pitched(chain.notes({"vocal": song / "vocals.flac"})))


def _vocal_mix(chain: Chain, song: Path) -> Sung:
    """All stems are transcribed, as of any song; what is written for a voice counts."""
    found = chain.notes(chain.stems(song / "mix.flac"))
    voices = [instrument for instrument in found if family(instrument) == "vocals"]
    return scores.vocals(song / "vocals_f0.csv", _pitched(voices))


def _pitched(instruments: Sequence[InstrumentPart]) -> list[Note]:
    return [note for instrument in instruments if not instrument.is_drum for note in instrument.notes]


def beats(setup: Setup) -> Figures:
    """F measure of beats and downbeats (70 ms) from the mix, through the separation and with the notes heard."""
    songs = setup.annotated("beats.txt")
    rows: list[Row] = []
    for song, (found, first) in zip(songs, setup.each(_beats, songs), strict=True):
        true = [float(line.split()[0]) for line in _lines(song)]
        bars = [float(line.split()[0]) for line in _lines(song) if line.split()[1] == "1"]
        halves = [(before + after) / 2 for before, after in pairwise(true)]
        other = max(scores.beats(level, found) for level in (sorted(true + halves), true[::2], true[1::2]))
        row: Row = {"song": song.name, "beats": scores.beats(true, found), "other_level": other}
        rows.append(row | {"downbeats": scores.beats(bars, first)})
    means = mean(rows, "song")
    print("\nBeats from the mix: F measure; what it would be were half or double the tempo meant; downbeats")
    results.table([*rows, means])
    return {"beats_f": figure(means, "beats"), "downbeats_f": figure(means, "downbeats")}


def _lines(song: Path) -> list[str]:
    return [line for line in (song / "beats.txt").read_text(encoding="utf-8").splitlines() if line.strip()]


def _beats(chain: Chain, song: Path) -> tuple[Sequence[float], Sequence[float]]:
    stems = chain.stems(song / "mix.flac")
    found = chain.rhythm(stems, chain.notes(stems))
    return found.beats, found.downbeats
