"""``antiphon stems``: which stems are written, by which engine, and what is said of them."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from tests.unit.music.separation.toys import save_shares

from antiphon.cli import app
from antiphon.errors import BadParameter
from antiphon.music.audio import Writer, stated_sample_rate

RATE = 22_050


@pytest.fixture
def song(tmp_path: Path) -> Path:
    """A second that reaches full scale, so that twice as much exceeds it."""
    path = tmp_path / "song.wav"
    tone = np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE)
    with Writer(path, RATE, 2, "wav") as writer:
        writer.write(np.repeat(tone[:, np.newaxis], 2, axis=1).astype(np.float32))
    return path


@pytest.fixture
def engine(tmp_path: Path) -> str:
    save_shares(tmp_path / "net.onnx", [2.0, 0.5, -1.0], segment=8_000)
    entry = {"file": "net.onnx", "stems": ["drums", "bass", "vocals"], "waveform_in": "mix", "waveform_out": "stems"}
    path = tmp_path / "net.json"
    path.write_text(json.dumps({"name": "net", "sample_rate": RATE, "segment": 8_000, "network": [entry]}))
    return str(path)


def run(*arguments: object) -> str:
    done = CliRunner().invoke(app, ["stems", *map(str, arguments)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.mark.parametrize(
    ("options", "written"),
    [
        ((), ["bass", "drums", "other", "vocal"]),
        (("--only", "vocals,drums"), ["drums", "vocal"]),
        (("--only", "Other"), ["other"]),
        (("--all-but", "vocals"), ["bass", "drums", "other"]),
        (("--all-but", "vocal, other"), ["bass", "drums"]),
        (("--type", "separate_vocal"), ["instrumental", "vocal"]),
    ],
)
def test_the_stems_that_are_asked_for_are_written_and_named(
    song: Path, engine: str, options: tuple[str, ...], written: list[str]
) -> None:
    shown = run(song, "--engine", engine, *options)
    files = sorted((song.parent / "song-stems").iterdir())
    assert [path.name for path in files] == [f"{name}.flac" for name in written]
    assert all(str(path) in shown for path in files)
    assert {stated_sample_rate(path) for path in files} == {RATE}


@pytest.mark.parametrize("option", ["--format", "--codec"])
def test_the_format_goes_by_its_new_and_its_old_name(song: Path, engine: str, option: str) -> None:
    run(song, "--engine", engine, option, "wav", "--only", "drums")
    assert (song.parent / "song-stems" / "drums.wav").exists()


def test_a_gain_is_told(song: Path, engine: str) -> None:
    assert "All stems are 6.02 dB quieter than in the song" in run(song, "--engine", engine)


def test_the_engine_of_the_settings_is_used(song: Path, engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTIPHON_SEPARATION", engine)
    run(song, "--only", "bass")
    assert (song.parent / "song-stems" / "bass.flac").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--only", "drums", "--all-but", "bass"), "came together; give one of them"),
        (("--only", "guitar"), "makes no 'guitar'; expected one of: drums, bass, vocal, other"),
        (("--all-but", "guitar"), "makes no 'guitar'; expected: drums, bass, vocal, other"),
        (("--all-but", "drums,bass,vocals,other"), "names every stem"),
    ],
)
def test_what_cannot_be_chosen_is_refused_with_what_can(
    song: Path, engine: str, options: tuple[str, ...], message: str
) -> None:
    with pytest.raises(BadParameter, match=message):
        run(song, "--engine", engine, *options)
