"""The demo song: the audio that is committed is what the MIDI file beside it says was played."""

import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import av
import mido
import numpy as np
import pytest
from numpy.typing import NDArray
from tests.paths import DEMO

RATE = 44_100
Samples = NDArray[np.float32]


@pytest.fixture(scope="module")
def audio() -> Samples:
    """(samples, 2), as a listener's player decodes it."""
    blocks = []
    with av.open(str(DEMO / "song.mp3")) as container:
        for frame in container.decode(audio=0):
            assert frame.sample_rate == RATE
            blocks.append(frame.to_ndarray())
    return np.concatenate(blocks, axis=1).T.astype(np.float32)


@pytest.fixture(scope="module")
def midi() -> mido.MidiFile:
    return mido.MidiFile(str(DEMO / "song.mid"))


def notes(midi: mido.MidiFile, channel: int) -> list[tuple[float, int]]:
    now, starts = 0.0, []
    for message in midi:
        now += message.time
        if message.type == "note_on" and message.velocity and message.channel == channel:
            starts.append((now, message.note))
    return starts


def energy(samples: Samples, low: float, high: float, hop: int) -> NDArray[np.float64]:
    """The level of a band, in steps of ``hop`` samples."""
    size = 1 << len(samples).bit_length()  # the song's own length has large prime factors, which are slow
    frequency = np.fft.rfftfreq(size, 1 / RATE)
    kept = np.fft.irfft(np.fft.rfft(samples, size) * ((frequency >= low) & (frequency < high)), size)
    count = len(samples) // hop
    return np.asarray(np.sqrt((kept[: count * hop].reshape(count, hop) ** 2).mean(axis=1)))


def test_the_mp3_is_small_stereo_and_between_45_and_60_seconds(audio: Samples) -> None:
    assert (DEMO / "song.mp3").stat().st_size <= 1_500_000
    assert audio.shape[1] == 2
    assert 45 <= len(audio) / RATE <= 60


def test_it_is_loud_enough_and_never_clips(audio: Samples) -> None:
    assert -18 < 20 * np.log10(np.sqrt((audio**2).mean())) < -14
    assert np.abs(audio).max() < 0.99
    assert abs(audio.mean()) < 1e-3


def test_it_ends_in_silence_after_the_last_note(audio: Samples, midi: mido.MidiFile) -> None:
    assert midi.length < len(audio) / RATE
    assert np.abs(audio[-RATE // 50 :]).max() < 0.003


def test_voice_bass_drums_and_at_least_four_other_instruments_play(midi: mido.MidiFile) -> None:
    programs = {m.program for track in midi.tracks for m in track if m.type == "program_change" and m.channel != 9}
    assert {53, 33} <= programs
    assert len(programs) >= 6
    assert len(notes(midi, 9)) > 100


def test_the_voice_sings_words_that_the_midi_file_holds(midi: mido.MidiFile) -> None:
    words = "".join(m.text for track in midi.tracks for m in track if m.type == "lyrics")
    assert "Call, and I will answer." in words


def test_the_composition_writes_the_committed_midi_file_byte_for_byte(tmp_path: Path) -> None:
    target = tmp_path / "song.mid"
    program = (
        "import sys; from pathlib import Path; from compose import NOTICE, TITLE, song; from score import write_midi;"
        "write_midi(song(), Path(sys.argv[1]), title=TITLE, notice=NOTICE)"
    )
    subprocess.run([sys.executable, "-c", program, str(target)], cwd=DEMO, check=True)
    assert target.read_bytes() == (DEMO / "song.mid").read_bytes()


def test_no_key_is_struck_again_before_it_is_released(midi: mido.MidiFile) -> None:
    for track in midi.tracks:
        held: set[int] = set()
        for message in track:
            if message.type == "note_on":
                assert message.note not in held
                held.add(message.note)
            elif message.type == "note_off":
                held.remove(message.note)
        assert not held


def test_every_kick_of_the_midi_file_is_heard_within_20_milliseconds(audio: Samples, midi: mido.MidiFile) -> None:
    # The falling pitch of the drum's first moments passes through this band, above the held bass notes.
    hop = 256
    level = np.log(energy(audio.mean(axis=1), 90, 250, hop) + 1e-3)
    rise = np.convolve(np.maximum(0, np.diff(level, prepend=level[0])), np.ones(2), "same")
    reach = round(0.06 * RATE / hop)
    offsets = []
    for start, note in notes(midi, 9):
        if note == 36:
            at = round(start * RATE / hop)
            offsets.append((int(rise[at - reach : at + reach].argmax()) - reach) * hop / RATE)
    assert len(offsets) > 40
    assert abs(float(np.median(offsets))) < 0.006
    assert np.mean(np.abs(offsets) < 0.02) >= 0.95


def test_each_held_note_of_the_lead_stands_out_at_its_pitch(audio: Samples, midi: mido.MidiFile) -> None:
    mono = audio.mean(axis=1)
    size = 8192
    frequency = np.fft.rfftfreq(size, 1 / RATE)
    lead = notes(midi, 0)
    long = [one for one, following in pairwise(lead) if following[0] - one[0] > 0.5]
    assert len(long) > 10
    for start, pitch in long:
        begin = round((start + 0.2) * RATE)
        spectrum = np.abs(np.fft.rfft(mono[begin : begin + size] * np.hanning(size)))
        fundamental = 440 * 2 ** ((pitch - 69) / 12)
        near = np.abs(12 * np.log2(np.maximum(frequency, 1) / fundamental)) < 0.7
        octave = np.abs(12 * np.log2(np.maximum(frequency, 1) / fundamental)) < 6
        assert spectrum[near].max() > 4 * np.median(spectrum[octave])


def test_the_comparison_finds_the_true_file_perfect_and_counts_what_is_missing(tmp_path: Path) -> None:
    def table(result: Path) -> list[list[str]]:
        command = [sys.executable, str(DEMO / "compare.py"), str(result)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        return [line.split() for line in done.stdout.splitlines()[1:]]

    assert all(line[-1] == "1.000" for line in table(DEMO / "song.mid"))
    half = tmp_path / "midi.json"
    half.write_text('{"instruments": [{"name": "Drums", "notes": [{"pitch": 36, "start": "4.44"}]}]}')
    rows = {" ".join(line[:-6]): line[-6:] for line in table(half)}
    assert rows["drums: kick"][1:4] == ["1", "1", "1.000"]
    assert rows["all pitched notes"][1:] == ["0", "0", "0.000", "0.000", "0.000"]
