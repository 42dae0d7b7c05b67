"""Standard MIDI Files, written and read (type 1: a tempo track, then a track for each instrument)."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path

import mido

from antiphon.errors import EngineError
from antiphon.score.generalmidi import DRUMS, NAMES
from antiphon.score.notes import Instrument, Note

TICKS_PER_BEAT = 960
DRUM_CHANNEL = 9
"""Channel 10, counted from 0."""
DEFAULT_TEMPO = 120.0


def write(
    instruments: Iterable[Instrument], path: Path, *, tempo: float = DEFAULT_TEMPO, title: str | None = None
) -> None:
    """Writes ``instruments`` to ``path``. ``tempo`` is in beats a minute; it sets where the bar lines fall and never
    moves a note: times are kept to half a tick (0.3 ms at 120 beats a minute).

    Drums go to channel 10. Beyond fifteen other instruments, channels are shared."""
    beat = mido.bpm2tempo(tempo)
    conductor = mido.MidiTrack()
    if title:
        conductor.append(mido.MetaMessage("track_name", name=_latin(title)))
    conductor.append(mido.MetaMessage("set_tempo", tempo=beat))
    conductor.append(mido.MetaMessage("time_signature", numerator=4, denominator=4))
    conductor.append(mido.MetaMessage("end_of_track"))
    file = mido.MidiFile(type=1, ticks_per_beat=TICKS_PER_BEAT)
    file.tracks.append(conductor)
    channels = [channel for channel in range(16) if channel != DRUM_CHANNEL]
    melodic = 0
    for instrument in instruments:
        if instrument.is_drum:
            channel = DRUM_CHANNEL
        else:
            channel = channels[melodic % len(channels)]
            melodic += 1
        file.tracks.append(_track(instrument, channel, beat))
    file.save(str(path))


def _latin(text: str) -> str:
    """Names in a MIDI file are bytes without a declared encoding: what Latin-1 lacks becomes a question mark."""
    return text.encode("latin-1", "replace").decode("latin-1")


def _track(instrument: Instrument, channel: int, beat: int) -> mido.MidiTrack:
    track = mido.MidiTrack()
    track.append(mido.MetaMessage("track_name", name=_latin(instrument.name)))
    track.append(mido.Message("program_change", channel=channel, program=instrument.program))
    now = 0
    for tick, message in sorted(_messages(instrument.notes, channel, beat), key=lambda item: item[:1]):
        track.append(message.copy(time=tick - now))
        now = tick
    track.append(mido.MetaMessage("end_of_track"))
    return track


def _messages(notes: Sequence[Note], channel: int, beat: int) -> Iterator[tuple[int, mido.Message]]:
    """Ticks and messages; all note-offs come first, so that a stable sort by tick ends a note before the next one
    on its pitch begins. A note that its successor overlaps is cut short: MIDI could not tell the two ends apart."""
    by_pitch: dict[int, list[tuple[int, int, Note]]] = defaultdict(list)
    for note in sorted(notes, key=lambda note: (note.start, note.pitch)):
        start, end = (round(mido.second2tick(time, TICKS_PER_BEAT, beat)) for time in (max(note.start, 0.0), note.end))
        line = by_pitch[note.pitch]
        if line and line[-1][0] >= start:
            continue
        if line and line[-1][1] > start:
            line[-1] = (line[-1][0], start, line[-1][2])
        line.append((start, max(end, start + 1), note))
    written = list(chain.from_iterable(by_pitch.values()))
    for _, end, note in written:
        yield end, mido.Message("note_off", channel=channel, note=note.pitch, velocity=0)
    for start, _, note in written:
        velocity = min(max(round(note.velocity * 127), 1), 127)
        yield start, mido.Message("note_on", channel=channel, note=note.pitch, velocity=velocity)


def read(path: Path) -> list[Instrument]:
    """The instruments of a Standard MIDI File of any type and tempo map, in order of their first track; a note that
    is never ended lasts to the end of the file. Raises ``EngineError`` when the file is not a MIDI file."""
    try:
        file = mido.MidiFile(str(path), clip=True)
    except (OSError, ValueError, EOFError, KeyError, IndexError) as error:
        raise EngineError(f"'{path.name}' cannot be read as a Standard MIDI File: {error}") from error
    events = [(tick, order, message) for order, track in enumerate(file.tracks) for tick, message in _absolute(track)]
    events.sort(key=lambda event: event[:2])
    return _collect(events, file.ticks_per_beat)


def _absolute(track: mido.MidiTrack) -> Iterator[tuple[int, mido.Message]]:
    tick = 0
    for message in track:
        tick += message.time
        yield tick, message


def _collect(events: list[tuple[int, int, mido.Message]], ticks_per_beat: int) -> list[Instrument]:
    """Walks all tracks at once, so that a tempo change in one moves the notes of all."""
    beat, seconds, last = mido.bpm2tempo(DEFAULT_TEMPO), 0.0, 0
    programs: dict[int, int] = {}
    begun: dict[tuple[int, int, int], tuple[float, int]] = {}
    found: dict[tuple[int, bool, int], list[Note]] = defaultdict(list)

    def finish(track: int, channel: int, pitch: int) -> None:
        started = begun.pop((track, channel, pitch), None)
        if started:
            is_drum = channel == DRUM_CHANNEL
            key = (track, is_drum, 0 if is_drum else programs.get(channel, 0))
            found[key].append(Note(pitch, started[0], seconds, started[1] / 127))

    for tick, track, message in events:
        seconds += mido.tick2second(tick - last, ticks_per_beat, beat)
        last = tick
        if message.type == "set_tempo":
            beat = message.tempo
        elif message.type == "program_change":
            programs[message.channel] = message.program
        elif message.type in ("note_on", "note_off"):
            finish(track, message.channel, message.note)
            if message.type == "note_on" and message.velocity:
                begun[track, message.channel, message.note] = (seconds, message.velocity)
    for key in list(begun):
        finish(*key)
    return [
        Instrument(
            DRUMS if is_drum else NAMES[program],
            program,
            is_drum,
            tuple(sorted(notes, key=lambda note: (note.start, note.pitch))),
        )
        for (_, is_drum, program), notes in sorted(found.items())
    ]
