"""Separation of a song into one file per stem."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from math import log10
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from antiphon.errors import BadParameter, NotAudio
from antiphon.music import separators
from antiphon.music.audio import Codec, stated_duration, stated_sample_rate, stream, writable_rate
from antiphon.music.audio.source import UNREADABLE
from antiphon.music.progress import Progress, part, silent
from antiphon.music.separation import loading
from antiphon.music.separation.presence import Watched
from antiphon.music.separation.rates import separated_at
from antiphon.music.separation.takes import Takes
from antiphon.music.separators import BUILTIN, Separator, Workplace
from antiphon.music.signal.framing import Samples

SeparationKind = Literal["separate_vocal", "split_stem", "split_stem_advanced"]
STEMS: dict[str, tuple[str, ...]] = {
    "separate_vocal": ("vocal", "instrumental"),
    "split_stem": ("vocal", "drums", "bass", "other"),
}
"""What the package's own engine makes."""
SAMPLE_RATE = 44_100
_BLOCK = 2**17
_LOADED, _SEPARATED = 0.05, 0.95
"""Shares of the work after which the engine is loaded, and the song separated."""

Pairs = Iterator[tuple[Samples, Samples]]


@dataclass(frozen=True, slots=True)
class Separated:
    """The ``stems``' files by name; ``absent`` are those that the engine makes and the song does not have. All files
    are ``gain_db`` (at most 0) louder than the song, so that none exceeds full scale."""

    stems: Mapping[str, Path]
    engine: str
    gain_db: float = 0.0
    absent: tuple[str, ...] = ()


def separate(
    source: Path,
    out: Path,
    *,
    kind: SeparationKind,
    models: Path,
    codec: Codec = "flac",
    stem: str | None = None,
    only: tuple[str, ...] = (),
    engine: str = BUILTIN,
    models_url: str | None = None,
    threads: int,
    progress: Progress = silent,
) -> Separated:
    """Separate a song into stems: stereo files ``<stem>.<codec>`` at the song's own rate, as long as it is.

    The stems sum to the song (with FLAC and WAV: to half a step of 16 bit) times the gain that is told. Memory does not
    grow with the song; two bytes a sample, channel and stem are kept in ``out`` meanwhile.

    Args:
        source: The song.
        out: Folder for the stems; it is made where it is not there.
        kind: Which stems. ``split_stem``: all that the engine makes and the song has, and ``other``, what they leave.
        models: Folder in which the weights are kept.
        codec: The kind of file.
        stem: For ``split_stem_advanced``: the stem to take out, beside which the rest is left.
        only: For ``split_stem``: the stems that are wanted; empty: all.
        engine: Name of the engine, or path of a manifest.
        models_url: Where the weights of pretrained engines are fetched; None: where they are published.
        threads: At most so many are used.
        progress: Is told the share of the work that is done.

    Raises:
        NotAudio: The song cannot be decoded.
        WeightsError: The weights are not there and cannot be fetched.
        BadParameter: There is no such engine, or it does not make what is asked for.
        ValueError: There is no such ``kind``.
    """
    if kind not in get_args(SeparationKind):
        raise ValueError(f"kind must be one of {get_args(SeparationKind)}, got {kind!r}")
    made = loading.load(engine, Workplace(models, threads, part(progress, 0, _LOADED), models_url))
    names, wanted = _named(kind, stem, only, separators.name_of(engine), made)
    rate = writable_rate(stated_sample_rate(source), codec)
    blocks = stream(source, sample_rate=rate, channels=2, block=_BLOCK)
    watched = Watched(made, judged=kind == "split_stem")
    out.mkdir(parents=True, exist_ok=True)
    with Takes(out, len(names) - 1) as takes:
        pairs = separated_at(blocks, rate, watched, wanted)
        _collect(pairs if stem != "other" else _left(pairs), takes, _share(source, rate, progress))
        if not takes.length:
            raise NotAudio(UNREADABLE)
        absent = watched.absent()
        dropped = [names.index(name) for name in absent]
        paths = {name: out / f"{name}.{codec}" for name in names if name not in absent}
        left_out = [name for name in paths if only and name not in only]
        gain = takes.gain(dropped)
        takes.write(
            [None if name in left_out else path for name, path in paths.items()],
            dropped,
            sample_rate=rate,
            codec=codec,
            gain=gain,
            threads=threads,
            progress=part(progress, _SEPARATED, 1),
        )
    progress(1.0, "separated")
    stems = {name: path for name, path in paths.items() if name not in left_out}
    return Separated(stems, separators.name_of(engine), round(20 * log10(gain), 2), absent)


def _named(
    kind: SeparationKind, stem: str | None, only: tuple[str, ...], engine: str, made: Separator
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The stems that are written, of which the last takes up what the others leave, and those asked of the engine."""
    asked = only if kind == "split_stem" else ("vocal",) if kind == "separate_vocal" else (str(stem),)
    unknown = [name for name in asked if name not in (*made.stems, "other")]
    if unknown:
        names = ", ".join((*made.stems, "other"))
        raise BadParameter(f"stem: the engine {engine!r} makes no {unknown[0]!r}; expected one of: {names}")
    if kind == "split_stem":
        # Whether a bass is there shows once voice and drums are taken away; a voice alone is quicker.
        wanted = ("vocal",) if only == ("vocal",) else made.stems
        return (*wanted, "other"), wanted
    if asked == ("other",):
        return ("other", "instrumental"), made.stems
    return (*asked, "instrumental" if asked == ("vocal",) else "other"), asked


def _left(pairs: Pairs) -> Pairs:
    """What the stems leave of the mix, as the one stem."""
    for mix, stems in pairs:
        yield mix, (mix - np.sum(stems, axis=0))[np.newaxis]


def _collect(pairs: Pairs, takes: Takes, report: Callable[[int], None]) -> None:
    for mix, stems in pairs:
        takes.push(mix, stems)
        report(takes.length)


def _share(source: Path, rate: int, progress: Progress) -> Callable[[int], None]:
    """A report of the samples that are separated; without a known length it nears the end and never reaches it."""
    total = stated_duration(source)
    separating = part(progress, _LOADED, _SEPARATED)

    def report(samples: int) -> None:
        done = samples / rate
        separating(min(done / total, 1.0) if total else done / (done + 180), "separating")

    return report
