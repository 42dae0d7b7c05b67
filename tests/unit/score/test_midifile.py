"""What stands in a MIDI file, read back by us and looked at with mido."""

from itertools import accumulate
from pathlib import Path

import mido
import pytest

from antiphon.errors import EngineError
from antiphon.music.harmony import Key
from antiphon.score import midifile
from antiphon.score.notes import InstrumentPart, Note
from antiphon.score.outline import Named, ScoreOutline
from antiphon.score.tempomap import Meter, TempoMap

BASS = InstrumentPart("Electric Bass (finger)", 33, False, (Note(40, 0.0, 0.5, 0.8), Note(43, 0.5, 1.123, 0.4)))
DRUMS = InstrumentPart("Drums", 0, True, (Note(36, 0.25, 0.4, 1.0), Note(42, 0.25, 0.33, 0.1)))


@pytest.mark.parametrize("tempo", [47.3, 120.0, 203.0])
def test_notes_come_back_as_they_were_at_any_tempo(tmp_path: Path, tempo: float) -> None:
    midifile.write([BASS, DRUMS], tmp_path / "song.mid", tempo=tempo)
    back = midifile.read(tmp_path / "song.mid")
    assert [(i.name, i.program, i.is_drum) for i in back] == [(i.name, i.program, i.is_drum) for i in (BASS, DRUMS)]
    for written, read in zip((BASS, DRUMS), back, strict=True):
        for note, again in zip(written.notes, read.notes, strict=True):
            assert again.pitch == note.pitch
            assert again.start == pytest.approx(note.start, abs=0.001)
            assert again.end == pytest.approx(note.end, abs=0.001)
            assert again.velocity == pytest.approx(note.velocity, abs=0.005)


UNEVEN = TempoMap.of_beats([0.3, 0.8, 1.35, 2.0, 2.5, 2.9, 3.3, 3.7, 4.1], [4, 1, 2, 3, 1, 2, 3, 4, 1])


def test_notes_stay_as_played_whatever_the_tempo_map(tmp_path: Path) -> None:
    notes = tuple(Note(60, order * 0.173, order * 0.173 + 0.1, 0.5) for order in range(40))
    midifile.write([InstrumentPart("Violin", 40, False, notes)], tmp_path / "song.mid", tempo=UNEVEN)
    (back,) = midifile.read(tmp_path / "song.mid")
    times = [(note.start, note.end) for note in notes]
    assert [(note.start, note.end) for note in back.notes] == [pytest.approx(span, abs=5e-4) for span in times]


def test_a_tempo_map_comes_back_as_it_was(tmp_path: Path) -> None:
    midifile.write([BASS], tmp_path / "song.mid", tempo=UNEVEN, title="Song")
    back = midifile.read_tempo_map(tmp_path / "song.mid")
    assert back.signatures == UNEVEN.signatures
    assert [(pace.tick, pace.beat) for pace in back.paces] == [(pace.tick, pace.beat) for pace in UNEVEN.paces]
    assert list(back.bar_lines(9)) == pytest.approx(list(UNEVEN.bar_lines(9)))


def test_a_file_without_tempo_or_signature_is_in_four_at_120(tmp_path: Path) -> None:
    mido.MidiFile(tracks=[mido.MidiTrack()], ticks_per_beat=96).save(str(tmp_path / "bare.mid"))
    assert list(midifile.read_tempo_map(tmp_path / "bare.mid").bar_lines(5)) == [0, 2, 4]


def test_the_file_is_of_type_one_with_a_tempo_track_and_a_named_track_for_each_instrument(tmp_path: Path) -> None:
    midifile.write([BASS, DRUMS], tmp_path / "song.mid", tempo=100, title="Ångström 音")
    file = mido.MidiFile(str(tmp_path / "song.mid"))
    assert file.type == 1
    assert [track.name for track in file.tracks] == ["Ångström ?", "Electric Bass (finger)", "Drums"]
    (tempo,) = [message.tempo for message in file.tracks[0] if message.type == "set_tempo"]
    assert mido.tempo2bpm(tempo) == pytest.approx(100)
    assert {m.channel for m in file.tracks[1] if not m.is_meta} == {0}
    assert {m.channel for m in file.tracks[2] if not m.is_meta} == {9}
    assert [m.program for m in file.tracks[1] if m.type == "program_change"] == [33]


def test_no_pitched_instrument_lands_on_the_drum_channel(tmp_path: Path) -> None:
    many = [InstrumentPart("Violin", 40, False, (Note(60 + order, 0, 1, 0.5),)) for order in range(17)]
    midifile.write(many, tmp_path / "song.mid")
    file = mido.MidiFile(str(tmp_path / "song.mid"))
    assert all(m.channel != 9 for track in file.tracks for m in track if not m.is_meta)
    assert sum(len(instrument.notes) for instrument in midifile.read(tmp_path / "song.mid")) == 17


def test_when_channels_run_out_an_instrument_shares_that_of_its_program(tmp_path: Path) -> None:
    programs = [*range(15), 3, 0, 7]
    many = [InstrumentPart("x", program, False, (Note(60 + program, 0, 1, 0.5),)) for program in programs]
    midifile.write(many, tmp_path / "song.mid")
    tracks = mido.MidiFile(str(tmp_path / "song.mid")).tracks[1:]
    used = [(m.channel, m.program) for track in tracks for m in track if m.type == "program_change"]
    assert len(set(used)) == len({channel for channel, _ in used}) == 15


def test_a_note_is_cut_where_the_next_one_on_its_pitch_begins(tmp_path: Path) -> None:
    notes = (Note(60, 0.0, 2.0, 0.5), Note(60, 1.0, 1.5, 0.9))
    midifile.write([InstrumentPart("Violin", 40, False, notes)], tmp_path / "song.mid")
    (violin,) = midifile.read(tmp_path / "song.mid")
    assert [(note.start, note.end) for note in violin.notes] == [(0.0, 1.0), (1.0, 1.5)]


@pytest.mark.parametrize("pause", [0.05, 0.07, 8.5, 9.0, 1100.0, 80_000.0])
def test_a_note_after_a_pause_of_any_length_is_in_its_place(tmp_path: Path, pause: float) -> None:
    midifile.write([InstrumentPart("Violin", 40, False, (Note(60, pause, pause + 1, 0.5),))], tmp_path / "song.mid")
    (violin,) = midifile.read(tmp_path / "song.mid")
    assert violin.notes[0].start == pytest.approx(pause, abs=0.001)


def test_no_instruments_give_a_file_that_players_accept(tmp_path: Path) -> None:
    midifile.write([], tmp_path / "song.mid")
    assert midifile.read(tmp_path / "song.mid") == []


def test_a_tempo_change_moves_the_notes_of_every_track(tmp_path: Path) -> None:
    file = mido.MidiFile(type=1, ticks_per_beat=480)
    conductor = mido.MidiTrack([mido.MetaMessage("set_tempo", tempo=500_000)])
    conductor.append(mido.MetaMessage("set_tempo", tempo=1_000_000, time=480))
    played = mido.MidiTrack([mido.Message("note_on", note=60, velocity=64, time=480)])
    played.append(mido.Message("note_on", note=60, velocity=0, time=480))
    file.tracks += [conductor, played]
    file.save(str(tmp_path / "song.mid"))
    (piano,) = midifile.read(tmp_path / "song.mid")
    assert piano.name == "Acoustic Grand Piano"
    assert [(note.start, note.end) for note in piano.notes] == [(0.5, 1.5)]


@pytest.mark.parametrize("content", [b"", b"RIFF....WAVE", b"MThd\x00\x00\x00\x06\x00\x01\x00\x02\x01\xe0MTrk"])
def test_what_is_not_a_midi_file_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.mid"
    path.write_bytes(content)
    with pytest.raises(EngineError, match=r"broken\.mid"):
        midifile.read(path)


def test_keys_sections_and_chords_stand_in_the_file_at_their_times(tmp_path: Path) -> None:
    tempo_map = TempoMap.of_beats([0.4 + 0.5 * order for order in range(17)], [order % 4 + 1 for order in range(17)])
    outline = ScoreOutline(
        keys=(Named(0.4, "F# minor"), Named(4.4, "Eb major")),
        chords=(Named(0.4, "F#m"), Named(2.4, "N"), Named(4.4, "Eb7")),
        sections=(Named(0.4, "A"), Named(4.4, "B")),
    )
    midifile.write([BASS], tmp_path / "song.mid", tempo=tempo_map, outline=outline)
    file = mido.MidiFile(str(tmp_path / "song.mid"))
    assert [track.name for track in file.tracks] == ["", midifile.CHORD_TRACK, BASS.name]
    told = {
        kind: [(tick, message) for tick, message in ticked(track) if message.type == kind]
        for kind, track in (("key_signature", file.tracks[0]), ("marker", file.tracks[0]), ("text", file.tracks[1]))
    }
    assert [(tick, message.key) for tick, message in told["key_signature"]] == [(0, "F#m"), (960 * 9, "Eb")]
    assert [(tick, message.text) for tick, message in told["marker"]] == [(960, "A"), (960 * 9, "B")]
    assert [(tick, message.text) for tick, message in told["text"]] == [(960, "F#m"), (960 * 5, "N"), (960 * 9, "Eb7")]
    assert [one.name for one in midifile.read(tmp_path / "song.mid")] == [BASS.name]


@pytest.mark.parametrize("mode", ["major", "minor"])
@pytest.mark.parametrize("tonic", range(12))
def test_every_key_can_be_written(tmp_path: Path, tonic: int, mode: str) -> None:
    name = Key(0.0, 1.0, tonic, mode).name
    midifile.write([BASS], tmp_path / "song.mid", outline=ScoreOutline(keys=(Named(0.0, name),)))
    (found,) = [one for one in mido.MidiFile(str(tmp_path / "song.mid")).tracks[0] if one.type == "key_signature"]
    assert found.key.removesuffix("m") == name.split()[0]
    assert found.key.endswith("m") == (mode == "minor")


@pytest.mark.parametrize(
    ("meter", "clocks"), [(Meter(4, 4, 4), 24), (Meter(6, 8, 2), 36), (Meter(12, 8, 4), 36), (Meter(7, 8, 7), 12)]
)
def test_the_metronome_clicks_on_the_beats_of_the_meter(tmp_path: Path, meter: Meter, clocks: int) -> None:
    beats = [0.6 * order for order in range(30)]
    tempo_map = TempoMap.of_beats(beats, [order % meter.beats + 1 for order in range(30)], meter)
    midifile.write([BASS], tmp_path / "song.mid", tempo=tempo_map)
    (found,) = [one for one in mido.MidiFile(str(tmp_path / "song.mid")).tracks[0] if one.type == "time_signature"]
    assert (found.numerator, found.denominator, found.clocks_per_click) == (meter.numerator, meter.denominator, clocks)


def ticked(track: mido.MidiTrack) -> list[tuple[int, mido.MetaMessage]]:
    """The messages of a track with their ticks from its start."""
    ticks = accumulate(message.time for message in track)
    return list(zip(ticks, track, strict=True))


@pytest.mark.parametrize(("cents", "value"), [(-50.0, 0x1000), (0.4, 0x2021), (32.0, 0x2A3D), (100.0, 0x3FFF)])
def test_a_file_tells_players_how_the_song_is_tuned(tmp_path: Path, cents: float, value: int) -> None:
    midifile.write([], tmp_path / "song.mid", tuning_cents=cents)
    (message,) = [one for one in mido.MidiFile(tmp_path / "song.mid").tracks[0] if one.type == "sysex"]
    assert message.data == (0x7F, 0x7F, 0x04, 0x03, value & 0x7F, value >> 7)
    assert message.time == 0


def test_a_file_in_tune_says_nothing_of_it(tmp_path: Path) -> None:
    midifile.write([], tmp_path / "song.mid")
    assert all(message.type != "sysex" for message in mido.MidiFile(tmp_path / "song.mid").tracks[0])
