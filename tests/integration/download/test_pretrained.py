"""Weights of pretrained engines: fetched whole, resumed, verified, built once; else it is said what to do."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from antiphon.download import Downloader
from antiphon.errors import WeightsError
from antiphon.music.separation.onnx_separator import OnnxSeparator
from antiphon.music.separation.pretrained import PRETRAINED, Pretrained, WeightsPart, ensure
from tests.integration.download.origin import Origin, answering, reset, serving, truncated
from tests.unit.music.separation import htdemucs_reference as reference


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    with np.load(reference.GOLDEN) as golden:
        arrays = {name.removeprefix("weight:"): golden[name] for name in golden if name.startswith("weight:")}
    path = tmp_path_factory.mktemp("weights") / "net.safetensors"
    return reference.save(path, arrays, reference.SMALL).read_bytes()


@pytest.fixture
def origin(weights: bytes) -> Iterator[Origin]:
    origin = Origin(weights, content_type="application/octet-stream")
    with serving(origin):
        yield origin


@pytest.fixture
def downloader() -> Downloader:
    return Downloader(allow_private=True, resumes=0, stall=0.6, head=0.6, connect=2, reserve=0)


def catalogue(weights: bytes, **changes: str) -> dict[str, Pretrained]:
    part = WeightsPart("net.safetensors", hashlib.sha256(weights).hexdigest(), len(weights))
    return {"small": Pretrained("author/Net/resolve/abc", (replace(part, **changes),))}  # type: ignore[arg-type]


def test_weights_are_fetched_verified_and_built_into_an_engine_once(
    origin: Origin, weights: bytes, downloader: Downloader, tmp_path: Path
) -> None:
    told: list[tuple[float, str]] = []
    for _ in range(2):
        manifest = ensure(
            tmp_path,
            "small",
            lambda *step: told.append(step),
            source=origin.base,
            catalogue=catalogue(weights),
            downloader=downloader,
        )
    assert [one.path for one in origin.asked] == ["/author/Net/resolve/abc/net.safetensors"]
    assert sorted(path.name for path in manifest.parent.iterdir()) == ["manifest.json", "net.onnx"]
    assert [fraction for fraction, _ in told] == sorted(fraction for fraction, _ in told)
    assert told[-1] == (1.0, "small is ready")
    assert any(stage.startswith("fetching small: ") for _, stage in told)
    mix = reference.sound(0.3).T
    ((_, stems), *_) = OnnxSeparator.of_file(manifest, 1).separate(iter([mix]), ("vocal", "drums"))
    assert np.abs(stems).max() > 0.01


def test_a_download_that_breaks_off_says_so_and_goes_on_from_there(
    origin: Origin, weights: bytes, downloader: Downloader, tmp_path: Path
) -> None:
    origin.plays = [truncated(30_000), reset(20_000)]
    for _ in range(2):
        with pytest.raises(
            WeightsError, match=r"(?s)could not be fetched.*kept.*antiphon models pull small.*MODELS_URL"
        ):
            ensure(tmp_path, "small", source=origin.base, catalogue=catalogue(weights), downloader=downloader)
    ensure(tmp_path, "small", source=origin.base, catalogue=catalogue(weights), downloader=downloader)
    first, second, third = origin.offsets()
    assert (first, second) == (0, 30_000)
    assert 30_000 <= third <= 50_000


def test_a_file_with_another_hash_is_deleted_and_both_hashes_are_told(
    origin: Origin, weights: bytes, downloader: Downloader, tmp_path: Path
) -> None:
    pinned = catalogue(weights, sha256="0" * 64)
    with pytest.raises(
        WeightsError, match=f"not the file that was pinned.*{hashlib.sha256(weights).hexdigest()}.*0000"
    ):
        ensure(tmp_path, "small", source=origin.base, catalogue=pinned, downloader=downloader)
    assert [path.name for path in (tmp_path / "small").iterdir()] == []
    ensure(tmp_path, "small", source=origin.base, catalogue=catalogue(weights), downloader=downloader)


def test_a_page_in_place_of_the_weights_is_not_built(
    origin: Origin, weights: bytes, downloader: Downloader, tmp_path: Path
) -> None:
    origin.plays = [answering("200 OK", b"<html>sign in</html>")]
    with pytest.raises(WeightsError, match="not the file that was pinned"):
        ensure(tmp_path, "small", source=origin.base, catalogue=catalogue(weights), downloader=downloader)
    assert not (tmp_path / "small" / "manifest.json").exists()


def test_without_a_network_it_says_where_to_put_the_file_and_takes_it_from_there(
    weights: bytes, downloader: Downloader, tmp_path: Path
) -> None:
    nowhere = "http://127.0.0.1:9"
    with pytest.raises(WeightsError, match=r"cannot be reached.*put the file there as .*/small/net\.safetensors"):
        ensure(tmp_path, "small", source=nowhere, catalogue=catalogue(weights), downloader=downloader)
    (tmp_path / "small" / "net.safetensors").write_bytes(weights)
    ensure(tmp_path, "small", source=nowhere, catalogue=catalogue(weights), downloader=downloader)


def test_a_folder_that_cannot_be_written_to_names_the_setting(weights: bytes, tmp_path: Path) -> None:
    (tmp_path / "models").write_text("a file")
    with pytest.raises(WeightsError, match="set ANTIPHON_MODELS"):
        ensure(tmp_path / "models", "small", source="http://127.0.0.1:9", catalogue=catalogue(weights))


def test_every_pretrained_part_is_pinned_by_hash_and_revision() -> None:
    for model in PRETRAINED.values():
        assert len(model.path.rpartition("/")[2]) == 40
        assert {len(bytes.fromhex(part.sha256)) for part in model.parts} == {32}
        assert json.dumps(model.licence)
