"""Writer and reader of Standard MIDI Files (type 1: a tempo track, then a track for each instrument)."""

import struct
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import cycle
from operator import attrgetter, itemgetter
from pathlib import Path

import mido

from antiphon.errors import EngineError
from antiphon.score.generalmidi import DRUMS, NAMES
from antiphon.score.notes import InstrumentPart, Note
from antiphon.score.outline import NO_OUTLINE, ScoreOutline
from antiphon.score.tempomap import DEFAULT_TEMPO_BPM, TICKS_PER_BEAT, Pace, Signature, TempoMap

CHORD_TRACK = "Chords"
CLOCKS_PER_QUARTER = 24
"""MIDI clocks, by which a time signature says how long a click of the metronome lasts."""
DRUM_CHANNEL = 9
"""Channel 10, counted from 0."""
_NOW = b"\0"  # a message's time, counted from the one before it
_END = _NOW + bytes(mido.MetaMessage("end_of_track").bytes())


def write(
    instruments: Iterable[InstrumentPart],
    path: Path,
    *,
    tempo: TempoMap | float = DEFAULT_TEMPO_BPM,
    title: str | None = None,
    outline: ScoreOutline = NO_OUTLINE,
    tuning_cents: float = 0.0,
) -> None:
    """Write ``instruments`` to ``path``. Times are kept to half a tick (0.3 ms at 120 beats a minute).

    Drums go to channel 10. Beyond fifteen other instruments, channels are shared, with the same program if it has one:
    of several programs on a channel, players take the last.

    Args:
        tempo: A map, or beats a minute; sets where the bar lines fall and never moves a note.
        title: The name of the tempo track.
        outline: Keys become key signatures, sections markers of the tempo track, chords texts of a track of their
            own, without notes, before the instruments.
        tuning_cents: How far over A = 440 Hz a player is to be tuned, -100 to 100; with 0 the file does not say.
    """
    tempo_map = tempo if isinstance(tempo, TempoMap) else TempoMap.steady(tempo)
    tracks = [_conductor(tempo_map, title, outline, tuning_cents)]
    if outline.chords:
        texts = [(chord.start, mido.MetaMessage("text", text=_latin(chord.name))) for chord in outline.chords]
        tracks.append(_meta_track([(0.0, mido.MetaMessage("track_name", name=CHORD_TRACK)), *texts], tempo_map))
    channels = _Channels()
    for instrument in instruments:
        tracks.append(_track(instrument, channels.of(instrument), tempo_map))
    with path.open("wb") as file:
        file.write(b"MThd" + struct.pack(">LHHH", 6, 1, len(tracks), TICKS_PER_BEAT))
        for track in tracks:
            file.write(b"MTrk" + struct.pack(">L", len(track)))
            file.write(track)


class _Channels:
    """Gives each instrument a channel of its own as long as there are any."""

    def __init__(self) -> None:
        self._free = [channel for channel in range(16) if channel != DRUM_CHANNEL]
        self._turns = cycle(self._free.copy())
        self._of_program: dict[int, int] = {}

    def of(self, instrument: InstrumentPart) -> int:
        if instrument.is_drum:
            return DRUM_CHANNEL
        if not self._free:
            shared = self._of_program.get(instrument.program)
            return next(self._turns) if shared is None else shared
        channel = self._free.pop(0)
        self._of_program.setdefault(instrument.program, channel)
        return channel


def _conductor(tempo_map: TempoMap, title: str | None, outline: ScoreOutline, tuning_cents: float) -> bytes:
    """The tempo track: its title, the tuning, every change of tempo, of time signature and of key, and the sections."""
    name = [(0, mido.MetaMessage("track_name", name=_latin(title)))] if title else []
    paces = [(pace.tick, mido.MetaMessage("set_tempo", tempo=pace.beat)) for pace in tempo_map.paces]
    signatures = [(one.tick, _time_signature(one)) for one in tempo_map.signatures]
    keys = [
        (round(tempo_map.tick(key.start)) if order else 0, mido.MetaMessage("key_signature", key=_key(key.name)))
        for order, key in enumerate(outline.keys)
    ]
    markers = [
        (max(round(tempo_map.tick(section.start)), 0), mido.MetaMessage("marker", text=_latin(section.name)))
        for section in outline.sections
    ]
    tuning = _master_tuning(tuning_cents) if tuning_cents else b""
    return _timed([*name, *paces, *signatures, *keys, *markers], first=tuning)


def _time_signature(signature: Signature) -> mido.MetaMessage:
    """With a click for each quarter, or each dotted one in 6/8 and 12/8."""
    quarters = 1.5 if signature.denominator == 8 and signature.numerator % 3 == 0 else 4 / signature.denominator
    return mido.MetaMessage(
        "time_signature",
        numerator=signature.numerator,
        denominator=signature.denominator,
        clocks_per_click=max(round(CLOCKS_PER_QUARTER * quarters), 1),
    )


def _key(name: str) -> str:
    """``F# minor`` as a MIDI file has it: ``F#m``."""
    tonic, mode = name.split()
    return tonic + ("m" if mode == "minor" else "")


def _meta_track(messages: list[tuple[float, mido.MetaMessage]], tempo_map: TempoMap) -> bytes:
    """A track of messages at seconds."""
    return _timed([(max(round(tempo_map.tick(second)), 0), message) for second, message in messages])


def _timed(messages: list[tuple[int, mido.MetaMessage]], *, first: bytes = b"") -> bytes:
    """A track of messages at ticks, which may be in any order, after events that come ``first``."""
    track, now = bytearray(first), 0
    for tick, message in sorted(messages, key=itemgetter(0)):
        track += _variable(tick - now) + bytes(message.bytes())
        now = tick
    return bytes(track + _END)


def _master_tuning(cents: float) -> bytes:
    """The universal message "master fine tuning" (MIDI 1.0, CA-25) at the beginning of a track: 14 bits, the middle of
    which is A = 440 Hz, for 100 cents on either side."""
    value = min(max(round(0x2000 + cents / 100 * 0x2000), 0), 0x3FFF)
    message = bytes((0x7F, 0x7F, 0x04, 0x03, value & 0x7F, value >> 7, 0xF7))
    return _NOW + b"\xf0" + _variable(len(message)) + message


def _latin(text: str) -> str:
    """Names in a MIDI file are bytes without a declared encoding: what Latin-1 lacks becomes a question mark."""
    return text.encode("latin-1", "replace").decode("latin-1")


def _track(instrument: InstrumentPart, channel: int, tempo_map: TempoMap) -> bytes:
    """The bytes of a track, without its header. Not by way of mido's messages, which need eight times as long and a
    kilobyte of memory for each note: the byte for byte same file of 100,000 notes takes 0.4 s."""
    track = bytearray(_NOW)
    track += bytes(mido.MetaMessage("track_name", name=_latin(instrument.name)).bytes())
    track += _NOW
    track += bytes((0xC0 | channel, instrument.program))
    now, status = 0, 0
    for tick, message in sorted(_messages(instrument.notes, channel, tempo_map), key=itemgetter(0)):
        track += _variable(tick - now)
        track += message[1:] if message[0] == status else message  # "running status"
        now, status = tick, message[0]
    track += _END
    return bytes(track)


def _variable(number: int) -> bytes:
    """Seven bits a byte, the highest first; all but the last have their highest bit set."""
    found = [number & 0x7F]
    while number := number >> 7:
        found.append(number & 0x7F | 0x80)
    return bytes(reversed(found))


def _messages(notes: Sequence[Note], channel: int, tempo_map: TempoMap) -> Iterator[tuple[int, bytes]]:
    """Ticks and messages; all note-offs come first, so that a stable sort by tick ends a note before the next one
    on its pitch begins. A note that its successor overlaps is cut short: MIDI could not tell the two ends apart."""
    by_pitch: dict[int, list[tuple[int, int, Note]]] = defaultdict(list)
    for note in sorted(notes, key=attrgetter("start", "pitch")):
        start, end = (round(tempo_map.tick(time)) for time in (max(note.start, 0.0), note.end))
        line = by_pitch[note.pitch]
        if line and line[-1][0] >= start:
            continue
        if line and line[-1][1] > start:
            line[-1] = (line[-1][0], start, line[-1][2])
        line.append((start, max(end, start + 1), note))
    for line in by_pitch.values():
        for _, end, note in line:
            yield end, bytes((0x80 | channel, note.pitch, 0))
    for line in by_pitch.values():
        for start, _, note in line:
            yield start, bytes((0x90 | channel, note.pitch, min(max(round(note.velocity * 127), 1), 127)))


def read(path: Path) -> list[InstrumentPart]:
    """The instruments of a Standard MIDI File of any type and tempo map, in order of their first track; a note that
    is never ended lasts to the end of the file.

    Raises:
        EngineError: The file is not a MIDI file.
    """
    return _collect(*_opened(path))


def read_tempo_map(path: Path) -> TempoMap:
    """The tempo map and time signatures of a Standard MIDI File.

    Raises:
        EngineError: The file is not a MIDI file.
    """
    events, resolution = _opened(path)
    # By tick: of several at one tick the last holds.
    paces = {0: Pace(0, 0.0, mido.bpm2tempo(DEFAULT_TEMPO_BPM))}
    signatures = {0: Signature(0, 4, 4)}
    last = paces[0]
    for tick, _, message in events:
        if message.type == "set_tempo":
            second = last.second + mido.tick2second(tick - last.tick, resolution, last.beat)
            paces[tick] = last = Pace(tick, second, max(message.tempo, 1))
        elif message.type == "time_signature":
            signatures[tick] = Signature(tick, message.numerator, message.denominator)
    return TempoMap(tuple(paces.values()), tuple(signatures.values()), resolution)


def _opened(path: Path) -> tuple[list[tuple[int, int, mido.Message]], int]:
    """All messages with their tick and track, in order, and the ticks to a beat."""
    try:
        file = mido.MidiFile(str(path), clip=True)
    except (OSError, ValueError, EOFError, KeyError, IndexError) as error:
        raise EngineError(f"'{path.name}' cannot be read as a Standard MIDI File: {error}") from error
    events = [(tick, order, message) for order, track in enumerate(file.tracks) for tick, message in _absolute(track)]
    events.sort(key=lambda event: event[:2])
    return events, file.ticks_per_beat


def _absolute(track: mido.MidiTrack) -> Iterator[tuple[int, mido.Message]]:
    tick = 0
    for message in track:
        tick += message.time
        yield tick, message


def _collect(events: list[tuple[int, int, mido.Message]], ticks_per_beat: int) -> list[InstrumentPart]:
    """Walks all tracks at once, so that a tempo change in one moves the notes of all."""
    beat, seconds, last = mido.bpm2tempo(DEFAULT_TEMPO_BPM), 0.0, 0
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
        InstrumentPart(
            DRUMS if is_drum else NAMES[program],
            program,
            is_drum,
            tuple(sorted(notes, key=lambda note: (note.start, note.pitch))),
        )
        for (_, is_drum, program), notes in sorted(found.items())
    ]
