"""A stem that holds only what leaked into it is not given: no drums without a stroke, no bass without a bass."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.unit.music.separation.toys import save_shares

from antiphon.music.audio import Writer, decode
from antiphon.music.separation import separate
from antiphon.music.separation.presence import MIN_JUDGED_S, Watched

Samples = NDArray[np.float32]
RATE = 44_100
SECONDS = 24.0


def stereo(mono: NDArray[np.float64]) -> Samples:
    return np.repeat(mono[:, np.newaxis], 2, axis=1).astype(np.float32)


def clock(seconds: float) -> NDArray[np.float64]:
    return np.arange(round(seconds * RATE)) / RATE


def beats(seconds: float = SECONDS) -> Samples:
    """A kick on the quarters, a snare on every second one, hi-hats between."""
    time, rng = clock(seconds), np.random.default_rng(3)
    since, half = time % 0.5, time % 1.0
    kick = np.sin(2 * np.pi * (50 * since + 8 * (1 - np.exp(-since * 40)))) * np.exp(-since * 14)
    noise = rng.standard_normal(len(time))
    snare = (noise + np.sin(2 * np.pi * 190 * time)) * np.exp(-((half - 0.5) % 1.0) * 18)
    hihat = np.diff(noise, prepend=0.0) * np.exp(-(time % 0.25) * 60)
    return stereo(0.5 * kick + 0.2 * snare + 0.1 * hihat)


def bass_line(seconds: float = SECONDS) -> Samples:
    """Notes of 0.4 s with four harmonics, between 41 and 65 Hz."""
    time = clock(seconds)
    hertz = np.array([41.2, 55.0, 61.7, 49.0])[(time / 0.5).astype(int) % 4]
    phase = 2 * np.pi * np.cumsum(hertz) / RATE
    tone = np.sum([np.sin(k * phase) / k for k in range(1, 5)], axis=0)
    return stereo(0.15 * tone * ((time % 0.5) < 0.4))


def chords(seconds: float = SECONDS) -> Samples:
    """Held chords above 260 Hz."""
    time = clock(seconds)
    return stereo(0.1 * np.sum([np.sin(2 * np.pi * hertz * time) for hertz in (261.6, 329.6, 392.0)], axis=0))


class Given:
    """An engine that knows the stems."""

    sample_rate = RATE

    def __init__(self, **stems: Samples) -> None:
        self.stems = tuple(stems)
        self._samples = stems

    def separate(self, blocks: Iterator[Samples], wanted: tuple[str, ...]) -> Iterator[tuple[Samples, Samples]]:
        start = 0
        for block in blocks:
            place = slice(start, start + len(block))
            start += len(block)
            yield block, np.stack([self._samples[name][place] for name in wanted])


def absent(mix: Samples, *, judged: bool = True, **stems: Samples) -> tuple[str, ...]:
    watched = Watched(Given(**stems), judged=judged)
    for _ in watched.separate((mix[at : at + 100_000] for at in range(0, len(mix), 100_000)), tuple(stems)):
        pass
    return watched.absent()


@pytest.mark.parametrize("gain", [1.0, 0.01], ids=["loud", "40 dB quieter"])
def test_drums_and_bass_that_play_are_there_at_any_level(gain: float) -> None:
    drums, bass, rest = gain * beats(), gain * bass_line(), gain * chords()
    assert absent(drums + bass + rest, drums=drums, bass=bass) == ()


@pytest.mark.parametrize("gain", [1.0, 0.01], ids=["loud", "40 dB quieter"])
def test_a_tenth_of_the_chords_in_the_drums_and_their_rumble_in_the_bass_are_neither(gain: float) -> None:
    rest = gain * chords()
    rumble = gain * 0.02 * stereo(np.random.default_rng(4).standard_normal(len(rest)))
    assert absent(rest + rumble, drums=0.3 * rest, bass=rumble) == ("drums", "bass")


def test_a_stem_thirty_decibels_below_the_song_is_not_there() -> None:
    rest = chords()
    assert absent(rest, vocal=0.03 * rest) == ("vocal",)
    assert absent(rest, vocal=0.04 * rest) == ()


def test_drums_that_play_in_a_third_of_the_song_are_there() -> None:
    silence = np.zeros_like(chords(40))
    drums = np.concatenate([silence, beats(20)])
    assert absent(drums + chords(60), drums=drums) == ()


def test_a_short_song_and_one_that_is_not_judged_keep_all_stems() -> None:
    short = chords(MIN_JUDGED_S - 0.1)
    assert absent(short, drums=0 * short, bass=0 * short) == ()
    assert absent(chords(), judged=False, drums=0 * chords()) == ()


def test_what_is_not_there_is_in_the_rest_and_is_named(tmp_path: Path) -> None:
    mix = 0.4 * (chords() + beats())
    source, manifest = tmp_path / "song.wav", tmp_path / "net.json"
    with Writer(source, RATE, 2, "wav") as writer:
        writer.write(mix)
    save_shares(tmp_path / "net.onnx", [0.5, 0.02], segment=RATE)
    entry = {"file": "net.onnx", "stems": ["drums", "bass"], "waveform_in": "mix", "waveform_out": "stems"}
    manifest.write_text(json.dumps({"name": "net", "segment": RATE, "network": [entry]}))
    done = separate(source, tmp_path / "out", kind="split_stem", engine=str(manifest), models=tmp_path, threads=1)
    assert done.absent == ("bass",)
    assert tuple(done.stems) == ("drums", "other")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["drums.flac", "other.flac"]
    drums, other = (decode(path, sample_rate=RATE, channels=2) for path in done.stems.values())
    assert np.abs(drums + other - mix).max() < 1e-4
    assert np.abs(drums - 0.5 * mix).max() < 1e-4
