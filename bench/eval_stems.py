"""How well the stems match the true ones, whether there are stems of what does not play, and what it costs.

On the evaluation songs: SDR, 10·log10(|s|² / |s − ŝ|²) over the whole song and both channels (Mitsufuji et al.,
"Music Demixing Challenge 2021"), and SI-SDR, which forgives a wrong level (Le Roux et al., "SDR – half-baked or well
done?", 2019). A figure is the median over the songs that have the stem. Beside the package's engine stand the plain
filters (``baseline_``) and what the vocal network gives by itself.

On rendered pieces, whole and without drums, without bass, without a singer: a stem is there when the engine gives it
and its energy lies within ``MAX_FAINT_DB`` of the mix's. Found without being played it is a false stem, played and not
found a missed one.

Other engines are compared when they are there: pretrained ones whose weights were pulled, and other packages'.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np
from numpy.typing import NDArray

from antiphon.music import separators, weights
from antiphon.music.audio import Writer
from antiphon.music.separation import SAMPLE_RATE, separate
from antiphon.music.separation.pretrained import manifest_of
from antiphon.music.separation.rhythm import split_rhythm
from antiphon.music.separation.vocals import VocalMask, split_vocals
from antiphon.settings import load_settings
from bench import engines, results
from bench.eval_midi.render import FONTS, Missing, rendered
from bench.eval_midi.styles import STYLES
from bench.eval_separation import DATA, TRUE_STEMS, read, sdr

Sound = NDArray[np.float32]
Stems = Mapping[str, Sound]
Separate = Callable[[Path], Stems]
"""From the file of a mix to its stems by their true names; a stem that an engine leaves out is not among them."""

MAX_FAINT_DB = 30.0
SPEED_SECONDS = 180.0
"""Length of the file by which speed and memory are measured."""
PIECE_SECONDS = 40.0
"""What of a rendered piece is separated."""
CACHE = Path(".cache/eval-midi")


@dataclass(frozen=True, slots=True)
class Presence:
    """Counts of stems: played and found, not played but found, played but not found; ``basses`` of the bass alone:
    found and looked for where no bass plays."""

    right: int = 0
    false: int = 0
    missed: int = 0
    basses: tuple[int, int] = (0, 0)

    @property
    def f1(self) -> float:
        return 2 * self.right / max(2 * self.right + self.false + self.missed, 1)


def si_sdr(true: Sound, estimate: Sound) -> float:
    """SDR in dB of the estimate at the level that suits it best."""
    reference = true.astype(np.float64)
    scale = float(np.sum(reference * estimate)) / (float(np.sum(reference**2)) + 1e-9)
    return sdr((scale * reference).astype(np.float32), estimate)


def contenders(models: Path, threads: int) -> dict[str, Separate]:
    """``builtin`` is the package's engine, ``filters`` what it is measured against, ``voice`` the vocal network."""
    network = VocalMask(weights.ensure(models, "spleeter"), threads)

    def of_engine(engine: str) -> Separate:
        return lambda mix: separated(mix, engine, models, threads)

    def filters(mix: Path) -> Stems:
        pieces = list(split_rhythm(split_vocals(iter([read(mix)]), network)))
        whole, vocals, drums, bass = (np.concatenate([piece[i] for piece in pieces]) for i in range(4))
        return {"vocals": vocals, "drums": drums, "bass": bass, "other": whole - vocals - drums - bass}

    def voice(mix: Path) -> Stems:
        return {"vocals": np.concatenate([vocals for _, vocals in split_vocals(iter([read(mix)]), network)])}

    others = {name: of_engine(name) for name in separators.names()[1:] if is_there(models, name)}
    return {"builtin": of_engine(separators.BUILTIN), "filters": filters, "voice": voice, **others}


def separated(mix: Path, engine: str, models: Path, threads: int) -> Stems:
    """The stems that an engine gives, as loud as in the mix; those besides the four that are known belong to
    ``other``."""
    with tempfile.TemporaryDirectory() as folder:
        done = separate(mix, Path(folder), kind="split_stem", engine=engine, models=models, threads=threads)
        gain = np.float32(10 ** (-done.gain_db / 20))
        stems: dict[str, Sound] = {}
        for name, path in done.stems.items():
            true = TRUE_STEMS.get(name, "other")
            sound = read(path) * gain
            stems[true] = stems[true] + sound if true in stems else sound
    return stems


def is_there(models: Path, engine: str) -> bool:
    return engine not in separators.HTDEMUCS or manifest_of(models, engine).is_file()


def on_songs(songs: list[Path], engine: Separate) -> list[dict[str, results.Figure]]:
    """A row per song: SDR by stem, SI-SDR as ``si_<stem>``; empty where the song has no such stem, or the engine makes
    none of any song. A stem that it leaves out of one song counts as silence there."""
    rows = []
    estimates = {song: engine(song / "mix.flac") for song in songs}
    made = {name for stems in estimates.values() for name in stems}
    for song, stems in estimates.items():
        row: dict[str, results.Figure] = {"song": song.name}
        for prefix, measure in (("", sdr), ("si_", si_sdr)):
            for name in TRUE_STEMS.values():
                true = song / f"{name}.flac"
                there = true.exists() and name in made
                row[prefix + name] = measured(measure, read(true), stems.get(name)) if there else ""
        rows.append(row)
    return rows


def measured(measure: Callable[[Sound, Sound], float], true: Sound, estimate: Sound | None) -> float:
    return measure(true, np.zeros_like(true) if estimate is None else estimate)


def medians(rows: list[dict[str, results.Figure]]) -> dict[str, results.Figure]:
    columns = [column for column in rows[0] if column != "song"]
    values = {column: [x for row in rows if isinstance(x := row[column], float)] for column in columns}
    return {column: round(median(found), 2) if found else "" for column, found in values.items()}


def reduced(stems: Stems) -> Iterator[Stems]:
    """A piece as it is, and without each of drums, bass and singer that it has."""
    yield stems
    for missing in ("drums", "bass", "vocals"):
        if missing in stems and len(stems) > 1:
            yield {name: sound for name, sound in stems.items() if name != missing}


def presence(pieces: list[Path], engine: Separate) -> Presence:
    """Over the rendered pieces in these folders."""
    right = false = missed = 0
    basses = [0, 0]
    for piece in pieces:
        files = {name: piece / f"{name}.flac" for name in TRUE_STEMS.values()}
        length = round(PIECE_SECONDS * SAMPLE_RATE)
        whole = {name: read(path)[:length] for name, path in files.items() if path.exists()}
        for stems in reduced(whole):
            mix = np.sum(list(stems.values()), axis=0)
            found = {name for name, sound in _separated(mix, engine).items() if _heard(sound, mix)}
            right += len(found & set(stems))
            false += len(found - set(stems))
            missed += len(set(stems) - found)
            if "bass" not in stems:
                basses = [basses[0] + ("bass" in found), basses[1] + 1]
    return Presence(right, false, missed, (basses[0], basses[1]))


def _separated(mix: Sound, engine: Separate) -> Stems:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mix.flac"
        with Writer(path, SAMPLE_RATE, 2) as writer:
            writer.write(np.asarray(mix, np.float32))
        return engine(path)


def _heard(sound: Sound, mix: Sound) -> bool:
    energy, whole = (float(np.sum(np.square(values, dtype=np.float64))) for values in (sound, mix))
    return energy > whole * 10 ** (-MAX_FAINT_DB / 10)


def speed(songs: list[Path], models: Path, threads: int) -> dict[str, results.Figure]:
    """``rtf``, here the duration divided by the time from the start of the engine's process to its end, and
    ``rss_mb``, for a file of three minutes made of ``songs``."""
    length = round(SPEED_SECONDS * SAMPLE_RATE)
    long = np.resize(np.concatenate([read(song / "mix.flac") for song in songs]), (length, 2))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "long.wav"
        with Writer(path, SAMPLE_RATE, 2, "wav") as writer:
            writer.write(long)
        places = {"source": str(path), "out": folder, "models": str(models.absolute())}
        done = engines.engine("separate", **places, kind="split_stem", codec="flac", threads=threads)
    return {"rtf": round(SPEED_SECONDS / done.seconds, 2), "rss_mb": round(done.rss)}


PREFIXES = {separators.BUILTIN: "", "filters": "baseline_"}


def prefix(name: str) -> str:
    """What stands before the figures of a contender."""
    return PREFIXES.get(name, f"{name}_")


def quality(name: str, songs: list[Path], engine: Separate) -> dict[str, results.Figure]:
    """The figures of one contender on the songs."""
    rows = on_songs(songs, engine)
    found = medians(rows)
    print(f"\n{name}: SDR and SI-SDR, dB")
    results.table([*rows, {"song": "median", **found}])
    figures = {}
    for column, value in found.items():
        kind, stem = ("si_", column[3:]) if column.startswith("si_") else ("", column)
        if value != "":
            figures[f"{prefix(name)}{kind}sdr_{stem}"] = value
    return figures


def honesty(name: str, pieces: list[Path], engine: Separate) -> dict[str, results.Figure]:
    """The figures of one contender's presence."""
    counts = presence(pieces, engine)
    print(f"{name}: {counts.right} stems right, {counts.false} false, {counts.missed} missed")
    share = counts.basses[0] / max(counts.basses[1], 1)
    return {
        f"{prefix(name)}presence_f1": round(counts.f1, 3),
        f"{prefix(name)}false_bass_share": round(share, 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Evaluate the stems: quality, presence, speed.")
    parser.add_argument("data", type=Path, nargs="?", default=DATA, help="folder that holds mdb/<song>/")
    parser.add_argument("--models", type=Path, default=load_settings().models_folder)
    parser.add_argument("--cache", type=Path, default=CACHE, help="folder of the rendered pieces")
    parser.add_argument("--font", choices=FONTS, default="fluid", help="soundfont of the rendered pieces")
    parser.add_argument("--threads", type=int, default=results.cores())
    arguments = parser.parse_args()
    songs = sorted(path.parent for path in arguments.data.glob("mdb/*/mix.flac"))
    if not songs:
        parser.error(f"no songs under {arguments.data}/mdb: give the folder of the evaluation data")
    try:
        pieces = [rendered(style, arguments.font, arguments.cache.absolute()) for style in STYLES]
    except Missing as missing:
        parser.exit(1, f"{missing}\n")
    # First: the peak memory of a child begins with that of its parent, which is small yet.
    fast = speed(songs, arguments.models, arguments.threads)
    compared = contenders(arguments.models, arguments.threads)
    figures: dict[str, results.Figure] = {"songs": len(songs), "rendered_pieces": len(pieces), **fast}
    for name, engine in compared.items():
        figures |= quality(name, songs, engine)
    for name in compared.keys() - {"voice"}:
        figures |= honesty(name, pieces, compared[name])
    print(f"written: {results.write('eval-stems', figures, 'make eval-stems')}", file=sys.stderr)


if __name__ == "__main__":
    main()
