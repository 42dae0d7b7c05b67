"""Pretrained networks: their weights fetched by ``antiphon models pull`` or when they are first used, verified, and
built into ONNX files with a manifest beside them."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from urllib.parse import urlsplit

from antiphon.download import Downloader, DownloadError
from antiphon.durable_files import place, sync_folder
from antiphon.errors import WeightsError
from antiphon.music.progress import Progress, part, silent
from antiphon.music.separators import MANIFEST
from antiphon.music.weights import locked

DEFAULT_SOURCE = "https://huggingface.co"
"""Where the author of Demucs publishes the weights; ``ANTIPHON_MODELS_URL`` names a mirror."""
Fields = dict[str, object]

_LICENCE = "research (its code: MIT)"
"""As the author has said of the weights; see docs/11-stems.md."""


@dataclass(frozen=True, slots=True)
class WeightsPart:
    """One file of weights: its ``name`` at the source, the SHA-256 that it must have, its size in bytes, and the stems
    that are taken of what it computes (empty: all)."""

    name: str
    sha256: str
    size: int
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Pretrained:
    """One engine's weights: ``parts`` under ``path`` at the source, a revision that cannot change."""

    path: str
    parts: tuple[WeightsPart, ...]
    licence: str = _LICENCE

    @property
    def megabytes(self) -> int:
        return round(sum(one.size for one in self.parts) / 1e6)


PRETRAINED: Mapping[str, Pretrained] = MappingProxyType(
    {
        "htdemucs": Pretrained(
            "adefossez/HTDemucs/resolve/cbc8a9b1a87023b7fd74e7b3412e6321c0eab003",
            (
                WeightsPart(
                    "955717e8.safetensors",
                    "d9fa14133cfcc034a6758923bb3a8ca9f8dfd0b582134643bbf83f72c17576dd",
                    84_025_440,
                ),
            ),
        ),
        "htdemucs_ft": Pretrained(
            "adefossez/HTDemucs-ft/resolve/d74ac89c3a1e874fc78f152555cf4d8533f06cd4",
            (
                WeightsPart(
                    "f7e0c4bc.safetensors",
                    "2c85ab3c62dd6edd8e0b965e38b16fd1cdde357cc25de6b6bc9ce7c83f60925f",
                    84_025_440,
                    ("drums",),
                ),
                WeightsPart(
                    "d12395a8.safetensors",
                    "5b01a97567ae9a3178a6236fb520251045c03eb8834bc8c24a4eec11d6c8fb56",
                    84_025_440,
                    ("bass",),
                ),
                WeightsPart(
                    "04573f0d.safetensors",
                    "68854b0d7c2b3274723b5761f6fd9f5aec5f1bcd3f0de7c1669546fdb7871b7c",
                    84_025_440,
                    ("vocals",),
                ),
            ),
        ),
        "htdemucs_6s": Pretrained(
            "adefossez/HTDemucs-6s/resolve/3c5ee475be622df764938de97e4281a7b07ffa58",
            (
                WeightsPart(
                    "5c90dfd2.safetensors",
                    "d2a1745f0744721f6b8ca5bf469b67c651ea5ed1b52998cab033b2158609d411",
                    54_885_744,
                ),
            ),
        ),
    }
)


def manifest_of(folder: Path, name: str) -> Path:
    """Where the manifest of an engine is, once it was fetched."""
    return folder / name / MANIFEST


def ensure(
    folder: Path,
    name: str,
    progress: Progress = silent,
    *,
    source: str | None = None,
    catalogue: Mapping[str, Pretrained] = PRETRAINED,
    downloader: Downloader | None = None,
) -> Path:
    """The manifest of an engine, its weights fetched and built first if they are not there yet.

    A download that broke off goes on where it was. Several processes may call this at once: one works, the others wait.

    Args:
        folder: Where models are kept.
        name: Of the engine.
        progress: Is told about fetching.
        source: URL before each model's path; None: where they are published.
        catalogue: What there is.
        downloader: Fetches; None makes one that may reach a mirror in the own network, if ``source`` names it.

    Raises:
        WeightsError: They cannot be fetched, verified or kept; the message says what to do.
    """
    target = manifest_of(folder, name)
    if target.is_file():
        return target
    model, home = catalogue[name], target.parent
    try:
        home.mkdir(parents=True, exist_ok=True)
        with locked(folder / f".{name}.lock"):
            if not target.is_file():
                _install(name, model, home, source or DEFAULT_SOURCE, downloader or _downloader(source), progress)
    except OSError as error:
        raise WeightsError(
            f"The weights of {name} cannot be kept in {home}: {error.strerror or error}. "
            "Make the folder writable, or set ANTIPHON_MODELS to one that is"
        ) from error
    return target


def _downloader(source: str | None) -> Downloader:
    hosts = [urlsplit(source).netloc] if source else []
    return Downloader(allow_private=bool(source), allow_hosts=hosts)


def _install(name: str, model: Pretrained, home: Path, source: str, downloader: Downloader, progress: Progress) -> None:
    networks: list[Fields] = []
    settings: Fields = {}
    for index, one in enumerate(model.parts):
        share = part(progress, index / len(model.parts), (index + 1) / len(model.parts))
        weights = _fetch(name, f"{source.rstrip('/')}/{model.path}/{one.name}", one, home, downloader, share)
        network, settings = _build(weights, one, home, share)
        networks.append(network)
        weights.unlink()
    made = home / ".manifest.json.new"
    made.write_text(json.dumps({"name": name, **settings, "network": networks}, indent=1))
    place(made, manifest_of(home.parent, name))
    sync_folder(home)
    progress(1.0, f"{name} is ready")


def _fetch(name: str, url: str, one: WeightsPart, home: Path, downloader: Downloader, progress: Progress) -> Path:
    def report(done: int, total: int | None) -> None:
        whole = total or one.size
        progress(0.9 * min(done / whole, 1.0), f"fetching {name}: {done / 1e6:.0f} of {whole / 1e6:.0f} MB")

    stem, _, suffix = one.name.rpartition(".")
    path = home / one.name
    if not path.is_file():
        try:
            path = downloader.fetch(url, home, stem, suffix=f".{suffix}", progress=report)
        except DownloadError as error:
            raise WeightsError(
                f"The weights of {name} could not be fetched from {url}: {error.message}. What has come is kept: run "
                f"'antiphon models pull {name}' again where the address can be reached, set ANTIPHON_MODELS_URL to a "
                f"mirror, or put the file there as {path}"
            ) from error
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != one.sha256:
        path.unlink()
        raise WeightsError(
            f"{url} is not the file that was pinned (SHA-256 {found}, expected {one.sha256}); it was deleted. "
            "Try again; if it stays so, the source is damaged or was tampered with"
        )
    return path


def _build(weights: Path, one: WeightsPart, home: Path, progress: Progress) -> tuple[Fields, Fields]:
    """Write the ONNX file; gives the network's entry in the manifest, and what the manifest says of all of them."""
    from antiphon.music.separation.htdemucs import build_model, read_checkpoint
    from antiphon.music.separation.htdemucs.graph import MIX, SPECTRA, SPECTRUM, WAVES

    progress(0.9, "building")
    try:
        checkpoint = read_checkpoint(weights)
        sources = one.sources or checkpoint.config.sources
        model = build_model(checkpoint, sources)
    except (ValueError, KeyError) as error:
        raise WeightsError(f"The weights in {weights} cannot be read: {error}") from error
    file = weights.with_suffix(".onnx")
    made = home / f".{file.name}.new"
    made.write_bytes(model.SerializeToString())
    place(made, file)
    config = checkpoint.config
    entry: Fields = {
        "file": file.name,
        "stems": list(sources),
        "waveform_in": MIX,
        "waveform_out": WAVES,
        "spectrum_in": SPECTRUM,
        "spectrum_out": SPECTRA,
    }
    return entry, {"sample_rate": config.samplerate, "segment": config.length, "stft": {"window": config.nfft}}
