"""The notes of a stem in which several sound at once: guitars, keyboards, everything that is neither voice nor bass.

The separation takes what is struck for drums: the attack of a guitar or a piano, sometimes whole short notes. So the
network listens once more, to the stem with the drums, and what it hears struck there counts where the stem itself
goes on sounding at that pitch; a drum does not.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from antiphon.music.transcription.leakage import Salience
from antiphon.music.transcription.network import Posteriorgram
from antiphon.music.transcription.notecreation import NoteEvent, Thresholds, create

LIMITS = Thresholds(shortest=6, unstruck=32, infer_onsets=False)
"""Notes of 80 ms and more; what nobody is heard to strike has to sound for 0.37 s, or it is a harmonic, the rest of a
note that was cut, or reverberation."""
STRUCK = replace(LIMITS, without_onset=False)
SUPPORT = 0.12
"""Least activation in the stem itself of a note that was heard struck with the drums."""
MIN_GUITAR_PITCH = 40
"""MIDI pitch of a guitar's lowest string; below it the drums are heard as notes."""
SAME = 6
"""Frames within which two onsets of a pitch are one."""
OVERTONES = (12, 19, 24, 28)
"""Semitones over a note at which its harmonics lie."""
LOUDER = 1.5
"""How many times the activation of a note under it makes of a note that note's harmonic."""
TOGETHER = 3
"""Frames within which a note and its harmonics begin."""


def chords(heard: Posteriorgram) -> list[NoteEvent]:
    """The notes of a stem by itself, in order of start and pitch."""
    return create(heard.notes, heard.onsets, LIMITS)


def with_struck(events: Sequence[NoteEvent], own: Salience, beside_drums: Posteriorgram) -> list[NoteEvent]:
    """``events`` of a stem of this ``own`` salience, and those that are heard when the drums sound with it."""
    starts: defaultdict[int, list[int]] = defaultdict(list)
    for event in events:
        starts[event.pitch].append(event.start)
    more = [
        event
        for event in create(beside_drums.notes, beside_drums.onsets, STRUCK)
        if event.pitch >= MIN_GUITAR_PITCH
        and all(abs(event.start - start) > SAME for start in starts[event.pitch])
        and own.activation(event) >= SUPPORT
    ]
    everything = sorted([*events, *more])
    overtones = _overtones(more, everything, own)
    return _one_at_a_time([event for event in everything if event not in overtones])


def _overtones(more: Sequence[NoteEvent], everything: Sequence[NoteEvent], own: Salience) -> set[NoteEvent]:
    """Those of ``more`` that are harmonics of what begins with them, out of ``everything`` in order."""
    starts = [event.start for event in everything]
    found = set()
    for event in more:
        first, last = bisect_left(starts, event.start - TOGETHER), bisect_right(starts, event.start + TOGETHER)
        limit = LOUDER * own.activation(event)
        under = [one for one in everything[first:last] if event.pitch - one.pitch in OVERTONES]
        if any(own.activation(one) > limit for one in under):
            found.add(event)
    return found


def _one_at_a_time(events: Sequence[NoteEvent]) -> list[NoteEvent]:
    """Events in order, each ended where the next on its pitch begins."""
    following: dict[int, int] = {}
    cut = []
    for event in reversed(events):
        end = min(event.end, following.get(event.pitch, event.end))
        if end > event.start:
            cut.append(replace(event, end=end))
            following[event.pitch] = event.start
    return cut[::-1]
