"""What a song is made of before it sounds: parts and notes on a tick grid, and the MIDI file that says so."""

from dataclasses import dataclass, field
from pathlib import Path

import mido

TICKS_PER_BEAT = 960
TEMPO = 555_556  # microseconds per beat as the MIDI file stores it: 108 beats per minute
BEATS_PER_BAR = 4
SECONDS_PER_TICK = TEMPO / 1e6 / TICKS_PER_BEAT
DRUM_CHANNEL = 9


@dataclass(frozen=True, slots=True)
class Event:
    """One note: start and length in ticks, MIDI pitch, velocity 1–127. ``text`` and ``phones`` are the
    syllable that a voice sings on it and its sounds (ARPAbet names, see ``voice.py``)."""

    tick: int
    length: int
    pitch: int
    velocity: int
    text: str = ""
    phones: tuple[str, ...] = ()

    @property
    def start(self) -> float:
        """Seconds from the start of the audio."""
        return self.tick * SECONDS_PER_TICK

    @property
    def seconds(self) -> float:
        return self.length * SECONDS_PER_TICK


@dataclass(slots=True)
class Part:
    """One player. ``program`` is the 0-based General MIDI program (ignored on the drum channel)."""

    name: str
    channel: int
    program: int
    events: list[Event] = field(default_factory=list)


def write_midi(parts: list[Part], path: Path, *, title: str, notice: str) -> None:
    """Writes a type 1 Standard MIDI File whose tick times are the audio's, to the sample."""
    song = mido.MidiFile(type=1, ticks_per_beat=TICKS_PER_BEAT, charset="utf-8")
    head = mido.MidiTrack()
    head.append(mido.MetaMessage("track_name", name=title))
    head.append(mido.MetaMessage("copyright", text=notice))
    head.append(mido.MetaMessage("set_tempo", tempo=TEMPO))
    head.append(mido.MetaMessage("time_signature", numerator=4, denominator=4))
    head.append(mido.MetaMessage("key_signature", key="G"))
    song.tracks.append(head)
    song.tracks.extend(_track(part) for part in parts)
    song.save(str(path))


def _track(part: Part) -> mido.MidiTrack:
    track = mido.MidiTrack()
    track.append(mido.MetaMessage("track_name", name=part.name))
    track.append(mido.Message("program_change", channel=part.channel, program=part.program))
    timed: list[tuple[int, int, mido.Message | mido.MetaMessage]] = []
    for event in part.events:
        tone = {"channel": part.channel, "note": event.pitch}
        if event.text:
            timed.append((event.tick, 1, mido.MetaMessage("lyrics", text=event.text)))
        timed.append((event.tick, 2, mido.Message("note_on", velocity=event.velocity, **tone)))
        timed.append((event.tick + event.length, 0, mido.Message("note_off", velocity=0, **tone)))
    now = 0
    for tick, _, message in sorted(timed, key=lambda entry: entry[:2]):
        track.append(message.copy(time=tick - now))
        now = tick
    return track
