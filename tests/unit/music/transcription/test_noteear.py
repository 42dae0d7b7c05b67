"""The ear with our note network, on composed sounds."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from antiphon.music.audio import Writer
from antiphon.music.progress import silent
from antiphon.music.transcription.levels import HOP, SAMPLE_RATE, levels, scaled
from antiphon.music.transcription.noteear import NoteEar
from antiphon.music.transcription.notenetwork import PIECE, NoteModel, pieces
from antiphon.music.transcription.sound import Sound

Samples = NDArray[np.float32]


def tone(pitch: int, seconds: float) -> Samples:
    time = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    hertz = 440 * 2 ** ((pitch - 69) / 12)
    wave = sum(np.sin(2 * np.pi * hertz * part * time) / part**1.5 for part in range(1, 8))
    return np.asarray(0.1 * wave * np.exp(-1.5 * time) * np.minimum(1, time / 0.005), np.float32)


def written(path: Path, samples: Samples) -> Sound:
    with Writer(path, SAMPLE_RATE, 1, "wav") as writer:
        writer.write(samples[:, None])
    return Sound((path,), duration=len(samples) / SAMPLE_RATE)


def song(seconds: float) -> Samples:
    samples = np.zeros(round(seconds * SAMPLE_RATE), np.float32)
    for order in range(int(2 * seconds) - 2):
        piece = tone(52 + (5 * order) % 19, 0.8)
        start = round((0.1 + 0.5 * order) * SAMPLE_RATE)
        samples[start : start + len(piece)] += piece[: len(samples) - start]
    return samples


def test_pieces_say_together_what_the_network_says_of_the_whole(tmp_path: Path) -> None:
    samples = song(22.0)
    sound, model = written(tmp_path / "song.wav", samples), NoteModel()
    whole = model.hear(scaled(levels(samples), -18.0))
    heard = [model.piece(scaled(piece.levels(0.0), -18.0)) for piece in pieces(sound)]
    assert len(heard) == -(-len(samples) // (PIECE * HOP)) > 2
    joined = np.concatenate([piece.onset for piece in heard])[: len(whole.onset)]
    inside = slice(8, len(joined) - 40)
    assert np.abs(joined[inside] - whole.onset[inside]).max() < 0.02


def test_a_chord_held_for_long_is_struck_once(tmp_path: Path) -> None:
    chord = sum((tone(pitch, 4.0) for pitch in (57, 61, 64)), np.zeros(round(4.0 * SAMPLE_RATE), np.float32))
    heard = NoteEar(threads=1).listen(written(tmp_path / "chord.wav", np.pad(chord, (4000, 4000))), progress=silent)
    assert sorted(event.pitch for event in heard.events) == [57, 61, 64]


def test_two_threads_hear_what_one_hears(tmp_path: Path) -> None:
    sound = written(tmp_path / "song.wav", song(22.0))
    one, two = (NoteEar(threads=threads).listen(sound, progress=silent) for threads in (1, 2))
    assert one.events == two.events
    assert np.array_equal(one.notes, two.notes)
