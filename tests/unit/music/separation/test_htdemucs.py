"""Hybrid Transformer Demucs as our graph gives what the ``demucs`` package gives, in pieces and whole."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from tests.unit.music.separation import htdemucs_reference as reference

from antiphon.music.separation.htdemucs import Config, build_model, read_checkpoint
from antiphon.music.separation.htdemucs.graph import MIX, SPECTRA, SPECTRUM, WAVES
from antiphon.music.separation.manifest import Manifest
from antiphon.music.separation.onnx_separator import OnnxSeparator

Samples = NDArray[np.float32]
MAX_ERROR = 1e-4


def engine(folder: Path, weights: dict[str, NDArray[np.float16]], arguments: dict[str, Any]) -> OnnxSeparator:
    checkpoint = read_checkpoint(reference.save(folder / "net.safetensors", weights, arguments))
    model = build_model(checkpoint)
    onnx.checker.check_model(model, full_check=True)
    (folder / "net.onnx").write_bytes(model.SerializeToString())
    # The last row, which would be left unused as "other", is called otherwise.
    stems = ["rest_of_it" if name == "other" else name for name in checkpoint.config.sources]
    entry = {"file": "net.onnx", "stems": stems, "waveform_in": MIX, "waveform_out": WAVES, "spectrum_in": SPECTRUM}
    manifest = Manifest.model_validate(
        {
            "name": "net",
            "sample_rate": checkpoint.config.samplerate,
            "segment": checkpoint.config.length,
            "stft": {"window": checkpoint.config.nfft},
            "network": [{**entry, "spectrum_out": SPECTRA}],
        }
    )
    return OnnxSeparator(manifest, folder, 1)


def blocks_of(mix: Samples, size: int) -> Iterator[Samples]:
    for start in range(0, mix.shape[1], size):
        yield mix[:, start : start + size].T


def separated(made: OnnxSeparator, mix: Samples, size: int = 1_234) -> Samples:
    """(stems, 2, n), with the mix checked."""
    pairs = list(made.separate(blocks_of(mix, size), made.stems))
    assert np.array_equal(np.concatenate([block for block, _ in pairs]).T, mix)
    return np.concatenate([stems for _, stems in pairs], axis=1).transpose(0, 2, 1)


def test_a_small_network_gives_what_the_package_gave(tmp_path: Path) -> None:
    with np.load(reference.GOLDEN) as golden:
        weights = {name.removeprefix("weight:"): golden[name] for name in golden if name.startswith("weight:")}
        expected = golden["expected"]
    heard = separated(engine(tmp_path, weights, reference.SMALL), reference.sound(reference.SECONDS))
    assert heard.shape[2] == round(reference.SECONDS * reference.RATE)
    assert np.abs(expected).max() > 0.05
    assert np.abs(heard[:, :, :: reference.EVERY] - expected).max() < MAX_ERROR


@pytest.mark.parametrize("arguments", [reference.SMALL, reference.DEEPER], ids=["4 sources", "6 sources"])
@pytest.mark.parametrize("share", [0.3, 1.0, 1.001, 1.6, 1.75, 1.9, 5.3])
def test_any_length_gives_what_the_package_gives(tmp_path: Path, arguments: dict[str, Any], share: float) -> None:
    pytest.importorskip("torch", reason="PyTorch is not here: only the golden is compared")
    pytest.importorskip("demucs", reason="the package demucs is not here: only the golden is compared")
    made = reference.network(arguments)
    ours = engine(tmp_path, reference.weights_of(made), arguments)
    mix = reference.sound(share * float(arguments["segment"]))
    assert np.abs(separated(ours, mix) - reference.applied(made, mix, split=True)).max() < MAX_ERROR
    if share < 1:
        assert np.abs(separated(ours, mix) - reference.applied(made, mix, split=False)).max() < MAX_ERROR


def test_the_size_of_the_blocks_does_not_change_the_stems(tmp_path: Path) -> None:
    with np.load(reference.GOLDEN) as golden:
        weights = {name.removeprefix("weight:"): golden[name] for name in golden if name.startswith("weight:")}
    made, mix = engine(tmp_path, weights, reference.SMALL), reference.sound(1.1)
    assert np.array_equal(separated(made, mix, 100), separated(made, mix, 100_000))


def test_a_checkpoint_of_another_network_is_refused(tmp_path: Path) -> None:
    path = reference.save(tmp_path / "net.safetensors", {}, reference.SMALL, kind="HDemucs")
    with pytest.raises(ValueError, match=r"holds demucs\.htdemucs\.HDemucs, expected demucs\.htdemucs\.HTDemucs"):
        read_checkpoint(path)


@pytest.mark.parametrize(
    "content", [b"", b"no safetensors", (10**9).to_bytes(8, "little"), b"\x02" + 7 * b"\0" + b"[]"]
)
def test_what_is_no_checkpoint_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "net.safetensors"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"net\.safetensors"):
        read_checkpoint(path)


def test_a_cut_off_checkpoint_names_the_array(tmp_path: Path) -> None:
    path = reference.save(tmp_path / "net.safetensors", {"a": np.zeros((2, 3), np.float16)}, reference.SMALL)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ValueError, match="the array 'a' cannot be read"):
        read_checkpoint(path)


@pytest.mark.parametrize(
    "wrong", [{"t_emb": "cape"}, {"cac": False}, {"multi_freqs": [0.3]}, {"depth": 6}, {"kernel_size": 9}]
)
def test_a_network_that_is_not_built_is_refused_by_its_argument(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="not supported"):
        Config.of_arguments({**reference.SMALL, **wrong})


def test_the_published_segment_of_39_fifths_of_a_second_loses_no_sample() -> None:
    fraction = {"_type": "fraction", "numerator": 39, "denominator": 5}
    assert Config.of_arguments({"sources": ["a"], "segment": fraction}).length == 343_980
