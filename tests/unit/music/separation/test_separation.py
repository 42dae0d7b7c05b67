"""Stems: each holds what it should, and together they are the song."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray
from tests.paths import EVALUATION_SONGS

from antiphon.errors import NotAudio, WeightsError
from antiphon.music import weights
from antiphon.music.audio import Codec, Writer, decode, stated_sample_rate
from antiphon.music.separation import SAMPLE_RATE, STEMS, SeparationKind, separate
from antiphon.music.separation.checkpoint import Arrays
from antiphon.music.separation.rhythm import split_rhythm
from antiphon.music.separation.unet import BINS, DEPTH, build_model
from antiphon.music.separation.vocals import OVERLAP, SEGMENT, VocalMask, split_vocals
from antiphon.settings import load_settings

pytestmark = pytest.mark.slow

Samples = NDArray[np.float32]
SECOND = SAMPLE_RATE


def random_net(seed: int) -> Arrays:
    """A U-Net of Spleeter's shapes with small random weights."""
    rng = np.random.default_rng(seed)
    arrays: Arrays = {}

    def add(layer: str, shape: tuple[int, ...], outputs: int) -> None:
        scale = 1.0 / np.sqrt(np.prod(shape) / outputs)
        arrays[f"{layer}.weight"] = rng.normal(scale=scale, size=shape).astype(np.float32)
        arrays[f"{layer}.bias"] = rng.normal(scale=0.1, size=outputs).astype(np.float32)

    def add_norm(layer: str, count: int) -> None:
        for name in ("weight", "bias", "running_mean", "running_var"):
            arrays[f"{layer}.{name}"] = rng.uniform(0.5, 1.5, count).astype(np.float32)

    down = [2, 16, 32, 64, 128, 256, 512]
    for level in range(1, DEPTH + 1):
        add(f"down{level}_conv.1", (down[level], down[level - 1], 5, 5), down[level])
        add_norm(f"down{level}_act.0", down[level])
    up = [(512, 256), (512, 128), (256, 64), (128, 32), (64, 16), (32, 1)]
    for level, (inputs, outputs) in enumerate(up, start=1):
        add(f"up{level}.0", (inputs, outputs, 5, 5), outputs)
        add_norm(f"up{level}.3", outputs)
    add("up7.0", (2, 1, 4, 4), 2)
    return arrays


Tensor = NDArray[np.float64]


def convolve(
    x: Tensor, weight: Tensor, bias: Tensor, *, stride: int, before: int, after: int, dilation: int = 1
) -> Tensor:
    """A convolution by its definition. ``x`` (channels, height, width)."""
    padded = np.pad(x, ((0, 0), (before, after), (before, after)))
    size = dilation * (weight.shape[2] - 1) + 1
    height = (padded.shape[1] - size) // stride + 1
    width = (padded.shape[2] - size) // stride + 1
    out = np.zeros((weight.shape[0], height, width)) + bias[:, None, None]
    for i in range(weight.shape[2]):
        for j in range(weight.shape[3]):
            rows = slice(i * dilation, i * dilation + stride * height, stride)
            columns = slice(j * dilation, j * dilation + stride * width, stride)
            out += np.einsum("oc,chw->ohw", weight[:, :, i, j], padded[:, rows, columns])
    return out


def spread(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """A transposed convolution of stride 2 by its definition, cut to twice the size of ``x``."""
    channels, height, width = weight.shape[1], x.shape[1], x.shape[2]
    out = np.zeros((channels, 2 * height + 3, 2 * width + 3))
    for i in range(5):
        for j in range(5):
            out[:, i : i + 2 * height : 2, j : j + 2 * width : 2] += np.einsum("co,chw->ohw", weight[:, :, i, j], x)
    return out[:, 1:-2, 1:-2] + bias[:, None, None]


def reference_mask(x: Tensor, arrays: Arrays) -> Tensor:
    """The U-Net as its paper draws it."""

    def get(layer: str, *names: str) -> list[Tensor]:
        return [arrays[f"{layer}.{name}"].astype(np.float64) for name in names]

    def norm(layer: str, value: Tensor) -> Tensor:
        gain, shift, mean, variance = (
            a[:, None, None] for a in get(layer, "weight", "bias", "running_mean", "running_var")
        )
        return (value - mean) / np.sqrt(variance + 1e-3) * gain + shift

    skips: list[Tensor] = []
    for level in range(1, DEPTH + 1):
        layer = f"down{level}"
        skips.append(convolve(x, *get(f"{layer}_conv.1", "weight", "bias"), stride=2, before=1, after=2))
        x = norm(f"{layer}_act.0", skips[-1])
        x = np.where(x > 0, x, 0.2 * x)
    x = skips.pop()
    for level in range(1, DEPTH + 1):
        x = norm(f"up{level}.3", np.maximum(spread(x, *get(f"up{level}.0", "weight", "bias")), 0))
        x = np.concatenate([skips.pop(), x]) if skips else x
    x = convolve(x, *get("up7.0", "weight", "bias"), stride=1, before=3, after=3, dilation=2)
    return np.asarray(1 / (1 + np.exp(-x)))


def test_the_graph_computes_the_published_network() -> None:
    vocals, accompaniment = random_net(1), random_net(2)
    model = build_model(vocals, accompaniment)
    onnx.checker.check_model(model, full_check=True)
    magnitude = np.abs(np.random.default_rng(3).normal(size=(1, 2, 64, BINS))).astype(np.float32)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    (mask,) = session.run(None, {"magnitude": magnitude})
    v, a = (reference_mask(magnitude[0].astype(np.float64), net) ** 2 for net in (vocals, accompaniment))
    assert mask.shape == magnitude.shape
    assert np.abs(mask[0] - v / (v + a + 1e-10)).max() < 1e-4


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A models folder with a network of random weights: enough to test everything around it."""
    folder = tmp_path_factory.mktemp("models")
    model = build_model(random_net(1), random_net(2))
    (folder / weights.CATALOGUE["spleeter"].file).write_bytes(model.SerializeToString())
    return folder


def song(seconds: float, *, loudness: float = 0.1, seed: int = 5) -> Samples:
    """Noise, a chord, a low tone and a click each half second, in 16 bit."""
    count = round(seconds * SECOND)
    time = np.arange(count) / SECOND
    rng = np.random.default_rng(seed)
    mono = sum(np.sin(2 * np.pi * hertz * time) for hertz in (60, 440, 554, 659)) * loudness
    mono = mono + 5 * loudness * rng.normal(size=count) * np.exp(-(time % 0.5) * 200)
    stereo = np.stack([mono, 0.5 * mono], axis=1) + loudness / 10 * rng.normal(size=(count, 2))
    return np.asarray(np.clip(np.rint(stereo * 32768) / 32768, -1, 32767 / 32768), np.float32)


def save(path: Path, samples: Samples, codec: Codec = "flac") -> Path:
    with Writer(path, SAMPLE_RATE, samples.shape[1], codec) as writer:
        writer.write(samples)
    return path


def blocks_of(samples: Samples, size: int) -> Iterator[Samples]:
    for start in range(0, len(samples), size):
        yield samples[start : start + size]


@pytest.mark.parametrize("kind", ["separate_vocal", "split_stem"])
@pytest.mark.parametrize("codec", ["flac", "wav"])
def test_the_stems_sum_to_the_song_exactly(tmp_path: Path, models: Path, kind: SeparationKind, codec: Codec) -> None:
    true = song(1.7)
    source = save(tmp_path / "song.wav", true, "wav")
    stems = separate(source, tmp_path / "out", kind=kind, models=models, codec=codec, threads=2)
    assert tuple(stems.stems) == STEMS[kind]
    heard = [decode(path, sample_rate=SAMPLE_RATE, channels=2) for path in stems.stems.values()]
    assert np.abs(sum(heard, np.zeros_like(true)) - true).max() < 0.5 / 32768


@pytest.mark.parametrize("kind", ["separate_vocal", "split_stem"])
def test_stems_over_full_scale_keep_their_peaks_under_one_common_gain(
    tmp_path: Path, models: Path, kind: SeparationKind
) -> None:
    true = song(1.0, loudness=3.0)
    done = separate(save(tmp_path / "song.flac", true), tmp_path / "out", kind=kind, models=models, threads=2)
    gain = 10 ** (done.gain_db / 20)
    heard = [decode(path, sample_rate=SAMPLE_RATE, channels=2) for path in done.stems.values()]
    assert done.gain_db < -0.1
    assert max(float(np.abs(part).max()) for part in heard) == pytest.approx(1.0, abs=1e-3)
    assert np.abs(np.sum(heard, axis=0) - gain * true).max() < 0.002  # the gain is told to a hundredth of a decibel


def test_stems_within_full_scale_are_left_as_loud_as_the_song(tmp_path: Path, models: Path) -> None:
    source = save(tmp_path / "song.flac", song(1.0))
    assert separate(source, tmp_path / "out", kind="split_stem", models=models, threads=2).gain_db == 0.0


@pytest.mark.parametrize("codec", ["flac", "wav", "mp3"])
@pytest.mark.parametrize("rate", [8_000, 44_100, 48_000])
def test_the_stems_have_the_songs_rate_and_length_and_are_aligned_with_it(
    tmp_path: Path, models: Path, rate: int, codec: Codec
) -> None:
    true = song(1.0)[: rate + 123, :1] if rate < SAMPLE_RATE else np.resize(song(1.0)[:, :1], (rate + 123, 1))
    source = tmp_path / "song.wav"
    with Writer(source, rate, 1, "wav") as writer:
        writer.write(true)
    done = separate(source, tmp_path / "out", kind="split_stem", models=models, codec=codec, threads=2)
    heard = [decode(path, sample_rate=rate, channels=2) for path in done.stems.values()]
    assert {stated_sample_rate(path) for path in done.stems.values()} == {rate}
    assert {len(part) for part in heard} == {rate + 123}
    error = np.sum(heard, axis=0) * 10 ** (-done.gain_db / 20) - true
    assert np.sum(error**2) < np.sum(true**2) * (0.1 if codec == "mp3" else 1e-6)


@pytest.mark.parametrize("kind", ["separate_vocal", "split_stem"])
def test_silence_stays_silent(tmp_path: Path, models: Path, kind: SeparationKind) -> None:
    source = save(tmp_path / "silence.flac", np.zeros((SECOND, 2), np.float32))
    for path in separate(source, tmp_path / "out", kind=kind, models=models, threads=2).stems.values():
        assert not decode(path, sample_rate=SAMPLE_RATE, channels=2).any()


def test_a_tenth_of_a_second_is_enough(tmp_path: Path, models: Path) -> None:
    source = save(tmp_path / "click.flac", song(0.1))
    stems = separate(source, tmp_path / "out", kind="split_stem", models=models, threads=2)
    assert [len(decode(path, sample_rate=SAMPLE_RATE, channels=2)) for path in stems.stems.values()] == [4410] * 4


class EvenMask(VocalMask):
    """Gives each segment a share of its own, alternating, to show how segments are joined."""

    def __init__(self) -> None:
        self.segments = 0

    def __call__(self, frames: NDArray[np.complex64]) -> NDArray[np.float32]:
        self.segments += 1
        return np.full(frames.shape, self.segments % 2, np.float32)


def test_segments_fade_into_each_other(models: Path) -> None:
    length = 1024 * (2 * SEGMENT - OVERLAP - 20)
    flat = np.ones((length, 2), np.float32)
    pairs = list(split_vocals(blocks_of(flat, 131_072), EvenMask()))
    mix, vocals = (np.concatenate(parts) for parts in zip(*pairs, strict=True))
    assert np.array_equal(mix, flat)
    assert vocals[: 1024 * (SEGMENT - OVERLAP - 8)] == pytest.approx(1.0, abs=1e-4)
    assert vocals[1024 * (SEGMENT + 4) :] == pytest.approx(0.0, abs=1e-4)
    # A seam would jump by 1 between two samples; the fade takes a second and a half.
    assert np.abs(np.diff(vocals[:, 0])).max() < 1e-4


def test_the_size_of_the_blocks_does_not_change_the_result() -> None:
    samples = song(2.0)

    def parts(size: int) -> list[Samples]:
        pairs = ((block, np.zeros_like(block)) for block in blocks_of(samples, size))
        return [np.concatenate(part) for part in zip(*split_rhythm(pairs), strict=True)]

    for small, large in zip(parts(15_000), parts(200_000), strict=True):
        assert small.shape == samples.shape
        assert small == pytest.approx(large, abs=1e-5)


def test_clicks_go_to_the_drums_and_low_tones_to_the_bass() -> None:
    time = np.arange(4 * SECOND) / SECOND
    click = np.random.default_rng(0).normal(size=len(time)) * np.exp(-(time % 0.5) * 300)
    low, chord = np.sin(2 * np.pi * 80 * time), np.sin(2 * np.pi * 880 * time)
    true = [np.stack([part, part], axis=1).astype(np.float32) * 0.2 for part in (click, low, chord)]
    mix = np.asarray(sum(true, np.zeros_like(true[0])))
    pairs = ((block, np.zeros_like(block)) for block in blocks_of(mix, 100_000))
    _, _, drums, bass = (np.concatenate(part) for part in zip(*split_rhythm(pairs), strict=True))
    for name, part, heard in zip(("drums", "bass", "other"), true, (drums, bass, mix - drums - bass), strict=True):
        distortion = float(np.sum((heard - part) ** 2) / np.sum(part**2))
        assert distortion < 0.15, name


def test_progress_rises_to_one(tmp_path: Path, models: Path) -> None:
    told: list[float] = []
    source = save(tmp_path / "song.flac", song(8.0))
    separate(
        source,
        tmp_path / "out",
        kind="separate_vocal",
        models=models,
        threads=2,
        progress=lambda fraction, stage: told.append(fraction),
    )
    assert told == sorted(told)
    assert told[-1] == 1.0


def test_what_is_not_audio_leaves_no_stems(tmp_path: Path, models: Path) -> None:
    source = tmp_path / "song.mp3"
    source.write_text("no audio")
    with pytest.raises(NotAudio):
        separate(source, tmp_path / "out", kind="split_stem", models=models, threads=2)
    assert list(tmp_path.rglob("*.flac")) == []


def test_damaged_weights_say_what_to_do(tmp_path: Path) -> None:
    (tmp_path / weights.CATALOGUE["spleeter"].file).write_bytes(b"not a network")
    with pytest.raises(WeightsError, match="antiphon models fetch"):
        separate(tmp_path / "song.mp3", tmp_path, kind="split_stem", models=tmp_path, threads=1)


DATA = EVALUATION_SONGS / "mdb" / "Rockabilly"


@pytest.mark.skipif(not DATA.exists(), reason="the evaluation songs are not here")
def test_on_a_real_song_every_stem_is_nearer_to_the_truth_than_the_mix_is(tmp_path: Path) -> None:
    folder = load_settings().models_folder
    if not weights.status(folder)[1].ready:
        pytest.skip("the weights are not fetched: antiphon models fetch")
    mix = decode(DATA / "mix.flac", sample_rate=SAMPLE_RATE, channels=2, start=2.0, duration=8.0)
    source = save(tmp_path / "song.flac", mix)
    stems = separate(source, tmp_path / "out", kind="split_stem", models=folder, threads=2)
    for stem, name in (("vocal", "vocals"), ("drums", "drums"), ("bass", "bass"), ("other", "other")):
        true = decode(DATA / f"{name}.flac", sample_rate=SAMPLE_RATE, channels=2, start=2.0, duration=8.0)
        heard = decode(stems.stems[stem], sample_rate=SAMPLE_RATE, channels=2)
        gain = 10 * np.log10(np.sum((mix - true) ** 2) / np.sum((heard - true) ** 2))
        assert gain > 3, stem
