"""The evaluation's own pieces and measures."""

from pathlib import Path

import numpy as np
import pytest
from bench.eval_midi import scores
from bench.eval_midi.compose import chord, compose, voicing
from bench.eval_midi.families import family, onsets
from bench.eval_midi.styles import STYLES, Style

from antiphon.score.notes import InstrumentPart, Note

BASS = InstrumentPart("Electric Bass (finger)", 33, False, (Note(40, 1.0, 1.5, 0.8), Note(43, 2.0, 2.5, 0.8)))
PIANO = InstrumentPart("Acoustic Grand Piano", 0, False, (Note(60, 1.0, 1.5, 0.8), Note(64, 1.0, 1.5, 0.8)))
DRUMS = InstrumentPart("Drums", 0, True, (Note(36, 1.0, 1.1, 0.8), Note(42, 1.0, 1.1, 0.8), Note(76, 1.2, 1.3, 0.8)))


def test_there_are_eight_styles_or_more_of_about_half_a_minute() -> None:
    pieces = [compose(style) for style in STYLES]
    assert len({piece.name for piece in pieces}) >= 8
    assert all(25 <= piece.duration <= 33 for piece in pieces)


@pytest.mark.parametrize("style", STYLES, ids=lambda style: style.name)
def test_a_piece_is_the_same_each_time_and_each_part_can_be_played(style: Style) -> None:
    piece = compose(style)
    assert piece == compose(style)
    for part in piece.parts:
        last: dict[int, float] = {}
        assert part.instrument.notes
        for note in part.instrument.notes:
            assert 0 < note.start < note.end <= piece.duration
            assert 21 <= note.pitch <= 108 and 0 < note.velocity <= 1
            assert last.get(note.pitch, 0.0) <= note.start, "a key is let go before it is struck again"
            last[note.pitch] = note.end
    assert [position for _, position in piece.beats[: style.meter + 1]] == [*range(1, style.meter + 1), 1]


def test_every_style_has_drums_a_bass_chords_and_a_tune() -> None:
    for style in STYLES:
        kinds = [family(instrument) for instrument in compose(style).instruments]
        assert kinds[:2] == ["drums", "bass"] and "other" in kinds
    assert sum("vocals" in map(family, compose(style).instruments) for style in STYLES) >= 5


def test_chords_are_read_and_put_between_the_limits() -> None:
    assert voicing(chord("F#m7"), 54, 70) == [54, 57, 61, 64]
    assert voicing(chord("E5"), 40, 57) == [40, 47, 52]
    assert chord("G/B").bass == 11


def test_unisons_of_a_family_count_once_and_percussion_of_no_class_not_at_all() -> None:
    double = InstrumentPart("Electric Piano 1", 4, False, (Note(60, 1.02, 1.5, 0.5),))
    assert onsets([PIANO, double, DRUMS]) == [
        ("hi-hat", 0, 1.0),
        ("kick", 0, 1.0),
        ("other", 60, 1.0),
        ("other", 64, 1.0),
    ]


def test_a_note_counts_only_in_the_right_family() -> None:
    truth = [BASS, PIANO, DRUMS]
    assert scores.total(scores.multi(truth, truth).values()).f1 == 1.0
    swapped = [InstrumentPart(BASS.name, BASS.program, False, PIANO.notes), DRUMS]
    counts = scores.multi(truth, swapped)
    assert (counts["bass"].right, counts["other"].right, counts["kick"].right) == (0, 0, 1)


def test_a_transcriber_without_instruments_is_given_the_family_that_fits_best() -> None:
    heard = [*BASS.notes, *PIANO.notes]
    counts = scores.without_family([BASS, PIANO, DRUMS], heard)
    assert (counts.right, counts.true, counts.found) == (4, 6, 4)
    assert scores.one_family([BASS, PIANO, DRUMS], heard, "bass").right == 2


def test_an_onset_counts_once_and_within_50_ms() -> None:
    assert scores.events([1.0, 2.0], [1.049, 1.02, 2.051]) == scores.Counts(1, 2, 3)
    assert scores.events([], []).f1 == 1.0
    assert scores.events([], [1.0]).f1 == 0.0


def test_notes_agree_with_the_same_end_only_when_it_is_asked_for() -> None:
    longer = [Note(60, 1.0, 3.0, 0.8)]
    assert scores.notes_agree([Note(60, 1.0, 1.5, 0.8)], longer, offsets=False).f1 == 1.0
    assert scores.notes_agree([Note(60, 1.0, 1.5, 0.8)], longer, offsets=True).f1 == 0.0


def test_a_sung_frame_is_right_within_a_semitone_of_a_singer(tmp_path: Path) -> None:
    times = np.arange(0, 4, 0.01)
    first = np.where((times >= 1) & (times < 3), 440.0, 0.0)
    second = np.where((times >= 2) & (times < 3), 523.25, 0.0)
    path = tmp_path / "f0.csv"
    lines = [f"{t:.3f},{a},{b}" for t, a, b in zip(times, first, second, strict=True)]
    path.write_text("time,first,second\n" + "\n".join(lines) + "\n")
    sung = scores.vocals(path, [Note(70, 1.0, 2.0, 0.8), Note(72, 2.0, 2.5, 0.5), Note(60, 3.5, 4.0, 0.8)])
    assert sung.rpa == pytest.approx(0.75, abs=0.01)
    assert sung.oa == pytest.approx((150 + 150) / 400, abs=0.01)
    assert sung.missed == pytest.approx(0.25, abs=0.01)
    assert sung.false_alarm == pytest.approx(0.25, abs=0.01)


def test_drums_are_counted_by_the_annotation_s_classes(tmp_path: Path) -> None:
    path = tmp_path / "drums.txt"
    path.write_text("1.0 KD\n1.0 HH\n2.0 OT\n")
    counts = scores.drums(path, [DRUMS, BASS])
    assert counts["KD"].f1 == counts["HH"].f1 == counts["SD"].f1 == 1.0
    assert counts["SD"].true == 0
