"""The picture of the notes."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from antiphon.music import pianoroll
from antiphon.score.notes import InstrumentPart, Note

PIANO = InstrumentPart("Acoustic Grand Piano", 0, False, (Note(60, 1.0, 9.0, 1.0),))
BASS = InstrumentPart("Electric Bass (finger)", 33, False, (Note(36, 1.0, 9.0, 1.0),))
DRUMS = InstrumentPart("Drums", 0, True, tuple(Note(key, 5.0, 5.1, 1.0) for key in (36, 38, 42)))


def picture(
    path: Path, *instruments: InstrumentPart, duration: float = 10.0, bars: Sequence[float] = ()
) -> Image.Image:
    pianoroll.draw(instruments, path / "roll.png", duration=duration, bars=bars)
    return Image.open(path / "roll.png").convert("RGB")


def columns_of(image: Image.Image, colour: tuple[int, int, int]) -> list[int]:
    """Where the colour stands right of the keyboard, as x coordinates; edges are soft, so near is enough."""
    below = np.asarray(image, np.int16)[pianoroll.TOP : image.height - 60, pianoroll.LEFT :]
    near: list[int] = np.flatnonzero((np.abs(below - np.array(colour)).max(axis=2) < 16).any(axis=0)).tolist()
    return [x + pianoroll.LEFT for x in near]


def test_the_picture_is_a_full_hd_png(tmp_path: Path) -> None:
    assert picture(tmp_path, PIANO).size == (1920, 1080)
    assert (tmp_path / "roll.png").read_bytes().startswith(b"\x89PNG")


def test_a_note_stands_where_its_time_is_in_its_instruments_colour(tmp_path: Path) -> None:
    image = picture(tmp_path, PIANO, BASS, DRUMS)
    width = image.width - pianoroll.LEFT - pianoroll.RIGHT
    for colour in pianoroll.PALETTE[:2]:
        columns = columns_of(image, colour)
        assert columns[0] == pytest.approx(pianoroll.LEFT + 0.1 * width, abs=4)
        assert columns[-1] == pytest.approx(pianoroll.LEFT + 0.9 * width, abs=4)
    hits = columns_of(image, pianoroll.DRUM_COLOUR)
    assert hits[0] == pytest.approx(pianoroll.LEFT + 0.5 * width, abs=4)


def test_every_instrument_is_in_the_legend(tmp_path: Path) -> None:
    legend = picture(tmp_path, PIANO, BASS, DRUMS).crop((0, 0, 1920, pianoroll.TOP - 10))
    colours = {colour for _, colour in legend.getcolors(1 << 16) or []}
    assert {pianoroll.PALETTE[0], pianoroll.PALETTE[1], pianoroll.DRUM_COLOUR} <= colours


def test_a_long_legend_is_broken_into_lines_and_stays_inside(tmp_path: Path) -> None:
    many = [InstrumentPart("Acoustic Guitar (steel)", 25, False, (Note(60 + order, 0, 5, 1.0),)) for order in range(8)]
    legend = np.asarray(picture(tmp_path, *many, DRUMS), np.int16)[: pianoroll.TOP - 10]
    inked = (np.abs(legend - np.array(pianoroll.BACKGROUND)) > 8).any(axis=2)
    assert inked.any()
    assert not inked[:, -pianoroll.RIGHT // 2 :].any()
    swatches = (np.abs(legend - np.array(pianoroll.DRUM_COLOUR)).max(axis=2) < 8).any()
    assert swatches


def test_bar_lines_stand_where_bars_begin_and_are_numbered(tmp_path: Path) -> None:
    plain, barred = (picture(tmp_path, PIANO, DRUMS, bars=bars) for bars in ((), (0.3, 2.3, 4.3, 6.3, 8.3)))
    changed = np.abs(np.asarray(barred, np.int16) - np.asarray(plain, np.int16)).max(axis=2) > 3
    row, numbers = changed[pianoroll.TOP + 40, pianoroll.LEFT :], changed[pianoroll.TOP - 30 : pianoroll.TOP - 10]
    width = plain.width - pianoroll.LEFT - pianoroll.RIGHT
    for bar in (0.3, 2.3, 4.3, 6.3, 8.3):
        x = round(bar / 10 * width)
        assert row[x - 2 : x + 3].any()
        assert numbers[:, pianoroll.LEFT + x - 8 : pianoroll.LEFT + x + 9].any()


def test_many_bars_are_thinned_out(tmp_path: Path) -> None:
    image = np.asarray(picture(tmp_path, PIANO, duration=3_600, bars=[2.0 * bar for bar in range(1_800)]), np.int16)
    row = image[pianoroll.TOP + 40, pianoroll.LEFT : -pianoroll.RIGHT].max(axis=1)
    assert 20 < (np.diff((row > np.median(row) + 3).astype(int)) == 1).sum() < 150


@pytest.mark.parametrize("duration", [0.0, 0.05, 3600.0])
def test_any_duration_can_be_drawn(tmp_path: Path, duration: float) -> None:
    assert picture(tmp_path, PIANO, DRUMS, duration=duration).size == (1920, 1080)


@pytest.mark.parametrize("pitch", [0, 127])
def test_the_ends_of_the_keyboard_can_be_drawn(tmp_path: Path, pitch: int) -> None:
    image = picture(tmp_path, InstrumentPart("Flute", 73, False, (Note(pitch, 0, 10, 1.0),)))
    assert columns_of(image, pianoroll.PALETTE[0])


def test_no_notes_are_a_picture_too(tmp_path: Path) -> None:
    assert picture(tmp_path).size == (1920, 1080)
