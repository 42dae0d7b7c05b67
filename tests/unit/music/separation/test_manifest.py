"""Any ONNX network with a manifest is an engine; what is wrong in either is named."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.unit.music.separation.toys import save_shares

from antiphon.errors import BadParameter, EngineError, WeightsError
from antiphon.music import separators
from antiphon.music.audio import Writer, decode
from antiphon.music.separation import loading, separate
from antiphon.music.separation.manifest import read_manifest
from antiphon.music.separation.onnx_separator import OnnxSeparator
from antiphon.music.separators import Workplace

Samples = NDArray[np.float32]
RATE = 16_000
SEGMENT = 4_000
TOML = f"""
name = "halves"
sample_rate = {RATE}
segment = {SEGMENT}

[[network]]
file = "halves.onnx"
stems = ["drums", "other", "vocals"]
waveform_in = "mix"
waveform_out = "stems"
"""


def noise(count: int) -> Samples:
    return np.asarray(0.1 * np.random.default_rng(2).standard_normal((count, 2)), np.float32)


def whole(made: separators.Separator, samples: Samples, wanted: tuple[str, ...]) -> Samples:
    blocks = (samples[start : start + 777] for start in range(0, len(samples), 777))
    return np.concatenate([stems for _, stems in made.separate(blocks, wanted)], axis=1)


@pytest.fixture
def halves(tmp_path: Path) -> Path:
    save_shares(tmp_path / "halves.onnx", [0.5, 0.2, 0.3], segment=SEGMENT)
    path = tmp_path / "halves.toml"
    path.write_text(TOML)
    return path


def test_each_stem_is_its_row_of_the_network(halves: Path, tmp_path: Path) -> None:
    made = loading.load(str(halves), Workplace(tmp_path, 1))
    samples = noise(3 * SEGMENT + 321)
    assert made.stems == ("drums", "vocal")
    assert made.sample_rate == RATE
    vocal, drums = whole(made, samples, ("vocal", "drums"))
    assert vocal == pytest.approx(0.3 * samples, abs=1e-6)
    assert drums == pytest.approx(0.5 * samples, abs=1e-6)


def test_a_network_of_the_spectrum_gets_and_gives_one(tmp_path: Path) -> None:
    save_shares(tmp_path / "net.onnx", [0.25, 0.5], segment=SEGMENT, window=512)
    entry = {"file": "net.onnx", "stems": ["bass", "-"], "spectrum_in": "spec", "spectrum_out": "specs"}
    path = tmp_path / "net.json"
    content = {"name": "net", "sample_rate": RATE, "segment": SEGMENT, "stft": {"window": 512}, "network": [entry]}
    path.write_text(json.dumps(content))
    made = OnnxSeparator.of_file(path, 1)
    # Below the highest bin, which such a spectrum does not have.
    time = np.arange(2 * SEGMENT + 99) / RATE
    tone = np.stack([np.sin(2 * np.pi * hertz * time) for hertz in (440, 1_000)], axis=1).astype(np.float32)
    (bass,) = whole(made, tone, ("bass",))
    inner = slice(200, -200)  # the mirrored ends are no tone
    assert bass[inner] == pytest.approx(0.25 * tone[inner], abs=5e-3)


def test_only_the_networks_whose_stems_are_wanted_run(tmp_path: Path) -> None:
    save_shares(tmp_path / "a.onnx", [0.5], segment=SEGMENT)
    save_shares(tmp_path / "b.onnx", [0.25], segment=SEGMENT)
    entry = {"waveform_in": "mix", "waveform_out": "stems"}
    networks = [{**entry, "file": "a.onnx", "stems": ["drums"]}, {**entry, "file": "b.onnx", "stems": ["bass"]}]
    path = tmp_path / "two.json"
    path.write_text(json.dumps({"name": "two", "sample_rate": RATE, "segment": SEGMENT, "network": networks}))
    made, samples = OnnxSeparator.of_file(path, 1), noise(SEGMENT)
    assert whole(made, samples, ("bass",))[0] == pytest.approx(0.25 * samples, abs=1e-6)
    assert whole(made, samples, ("bass", "drums"))[1] == pytest.approx(0.5 * samples, abs=1e-6)


def test_a_song_is_separated_by_a_manifest_at_its_own_rate(halves: Path, tmp_path: Path) -> None:
    source, true = tmp_path / "song.wav", noise(22_050)
    with Writer(source, 22_050, 2, "wav") as writer:
        writer.write(true)
    done = separate(source, tmp_path / "out", kind="split_stem", engine=str(halves), models=tmp_path, threads=1)
    assert tuple(done.stems) == ("drums", "vocal", "other")
    assert done.engine == "halves"
    heard = [decode(path, sample_rate=22_050, channels=2) for path in done.stems.values()]
    kept = np.rint(true * 32768) / 32768
    assert np.abs(np.sum(heard, axis=0) - kept).max() < 1e-4


def changed(**fields: Any) -> str:
    entry = {"file": "a.onnx", "stems": ["drums"], "waveform_in": "mix", "waveform_out": "stems"}
    content = {"name": "a", "segment": 4_000, "network": [entry], **fields}
    return json.dumps({name: value for name, value in content.items() if value is not None})


NO_END = [{"file": "a.onnx", "stems": ["drums"], "waveform_in": "mix"}]
SPECTRAL = [{"file": "a.onnx", "stems": ["drums"], "spectrum_in": "x", "spectrum_out": "y"}]
NOTHING = [{"file": "a.onnx", "stems": ["other"], "waveform_in": "x", "waveform_out": "y"}]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (changed(segment=None), "segment: Field required"),
        (changed(segment=0), "segment: Input should be greater than"),
        (changed(rate=44_100), "rate: Extra inputs are not permitted"),
        (changed(overlap=1), "overlap: Input should be less than 1"),
        (changed(name="../x"), "name: String should match"),
        (changed(network=NO_END), r"network\.0: .*expected an input .* and an output"),
        (changed(network=SPECTRAL), r"spectrum_in and spectrum_out need a table \[stft\]"),
        (changed(network=NOTHING), "each stem must come once, and one besides 'other'"),
        ("{", "is neither TOML nor JSON"),
    ],
)
def test_what_is_wrong_in_a_manifest_is_named(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "net.json"
    path.write_text(content)
    with pytest.raises(EngineError, match=message):
        read_manifest(path)


def test_a_manifest_that_is_not_there_is_an_engines_error(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"gone\.toml cannot be read: No such file"):
        loading.load(str(tmp_path / "gone.toml"), Workplace(tmp_path, 1))


def test_a_missing_network_and_a_wrong_name_are_told(halves: Path, tmp_path: Path) -> None:
    halves.write_text(TOML.replace('"stems"\n', '"estimates"\n'))
    with pytest.raises(
        EngineError, match="has no 'estimates', which its manifest names as waveform_out; it has: mix, stems"
    ):
        OnnxSeparator.of_file(halves, 1)
    (tmp_path / "halves.onnx").unlink()
    with pytest.raises(EngineError, match=r"halves\.onnx cannot be loaded"):
        OnnxSeparator.of_file(halves, 1)


def test_a_network_of_another_length_is_told_when_it_runs(halves: Path) -> None:
    halves.write_text(TOML.replace(f"segment = {SEGMENT}", "segment = 5000"))
    made = OnnxSeparator.of_file(halves, 1)
    with pytest.raises(EngineError, match="does not work as its manifest says"):
        whole(made, noise(9_000), ("drums",))


def test_an_unknown_engine_is_refused_with_the_names_of_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(BadParameter, match="'magic'; expected one of: builtin, htdemucs, htdemucs_ft, htdemucs_6s"):
        loading.load("magic", Workplace(tmp_path, 1))


def test_a_stem_that_the_engine_does_not_make_is_refused_with_those_it_makes(halves: Path, tmp_path: Path) -> None:
    source = tmp_path / "song.wav"
    with Writer(source, RATE, 2, "wav") as writer:
        writer.write(noise(SEGMENT))
    with pytest.raises(BadParameter, match="makes no 'guitar'; expected one of: drums, vocal, other"):
        separate(
            source,
            tmp_path / "out",
            kind="split_stem_advanced",
            stem="guitar",
            engine=str(halves),
            models=tmp_path,
            threads=1,
        )
    with pytest.raises(BadParameter, match="makes no 'bass'"):
        separate(
            source, tmp_path / "out", kind="split_stem", only=("bass",), engine=str(halves), models=tmp_path, threads=1
        )


def test_only_the_stems_that_are_asked_for_are_written(halves: Path, tmp_path: Path) -> None:
    source = tmp_path / "song.wav"
    with Writer(source, RATE, 2, "wav") as writer:
        writer.write(noise(SEGMENT))
    done = separate(
        source,
        tmp_path / "out",
        kind="split_stem",
        only=("vocal", "other"),
        engine=str(halves),
        models=tmp_path,
        threads=1,
    )
    assert [path.name for path in sorted((tmp_path / "out").iterdir())] == ["other.flac", "vocal.flac"]
    assert tuple(done.stems) == ("vocal", "other")


class Quarter:
    """An engine as another package would bring it."""

    stems = ("vocal",)
    sample_rate = 44_100

    def __init__(self, workplace: Workplace) -> None:
        self.threads = workplace.threads

    def separate(self, blocks: Any, wanted: tuple[str, ...]) -> Any:
        for block in blocks:
            yield block, np.stack([0.25 * block] * len(wanted))


def test_an_engine_of_another_package_is_found_by_its_entry_point(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "site" / "quarter-1.0.dist-info"
    package.mkdir(parents=True)
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: quarter\nVersion: 1.0\n")
    (package / "entry_points.txt").write_text(
        f"[{separators.GROUP}]\n"
        f"quarter = {__name__}:Quarter\nbroken = {__name__}:Missing\nbuiltin = {__name__}:Quarter\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    assert separators.names() == ["builtin", "htdemucs", "htdemucs_ft", "htdemucs_6s", "broken", "quarter"]
    made = loading.load("quarter", Workplace(tmp_path, 3))
    assert made.stems == ("vocal",)
    with pytest.raises(EngineError, match=r"'broken' .*cannot be loaded"):
        loading.load("broken", Workplace(tmp_path, 1))


def test_an_engine_is_checked_without_being_loaded(halves: Path, tmp_path: Path) -> None:
    separators.check("builtin", tmp_path)
    separators.check(str(halves), tmp_path)
    with pytest.raises(BadParameter, match="there is no separation engine 'magic'"):
        separators.check("magic", tmp_path)
    with pytest.raises(WeightsError, match="antiphon models pull htdemucs_6s"):
        separators.check("htdemucs_6s", tmp_path)
    halves.write_text("name = 1")
    with pytest.raises(EngineError, match="name: "):
        separators.check(str(halves), tmp_path)
