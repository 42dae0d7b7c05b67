"""The ear with the Basic Pitch network: chords from the rest, heard twice, and a bass by the harmonics of its notes."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from antiphon.music.progress import Progress, part
from antiphon.music.transcription.basicpitchbass import bass_line
from antiphon.music.transcription.chords import chords, with_struck
from antiphon.music.transcription.ear import BASS, DRUMS, Hearing
from antiphon.music.transcription.lowpitch import listen_low
from antiphon.music.transcription.network import BasicPitch, Posteriorgram, listen
from antiphon.music.transcription.notecreation import NoteEvent
from antiphon.music.transcription.sound import Sound, joined, loud_db

MIN_SURE_ACTIVATION, SURE_PERCENTILE = 0.48, 90.0
"""A stem of whose notes not even the surest tenth has this activation is noise, whose notes reach 0.44 (a minute of
white, pink and brown noise); those of instruments reach 0.53 and more."""
MIN_HELD_FRAMES = 86
"""Frames (1 s) of a note that no noise sounds like, however unsure it is."""
MIN_SURE_FRAMES = 20
"""Frames (0.23 s) that the sure notes of a stem have to sound together."""


class BasicPitchEar:
    """The Basic Pitch network, from the ONNX file ``weights``."""

    def __init__(self, weights: Path, *, threads: int) -> None:
        self._network = BasicPitch(weights, threads=threads)

    def listen(self, sound: Sound, *, progress: Progress) -> Hearing:
        return _hearing(listen(self._network, sound, progress=progress))

    def band(self, stems: Mapping[str, Sound], *, progress: Progress) -> dict[str, Hearing]:
        heard: dict[str, Hearing] = {}
        names = [name for name in stems if name != DRUMS]
        for order, name in enumerate(names):
            step = part(progress, order / len(names), (order + 1) / len(names))
            if name == BASS:
                heard[name] = self._bass(stems, step)
            else:
                heard[name] = self._rest(stems[name], stems.get(DRUMS), step)
        return heard

    def _rest(self, sound: Sound, drums: Sound | None, progress: Progress) -> Hearing:
        """Chords. The separation takes what is struck for drums, so they are listened to with the drums, too."""
        heard = self.listen(sound, progress=part(progress, 0, 0.5 if drums else 1))
        if _is_noise(heard.events):
            return replace(heard, events=[])
        if drums is None:
            return heard
        again = listen(self._network, joined([sound, drums]), progress=part(progress, 0.5, 1))
        return replace(heard, events=with_struck(heard.events, heard.salience, again))

    def _bass(self, stems: Mapping[str, Sound], progress: Progress) -> Hearing:
        """A bass's harmonics are in the rest of the song, and its plucks among the drums."""
        heard = self.listen(stems[BASS], progress=progress)
        notes = joined([sound for name, sound in stems.items() if name != DRUMS])
        loud = 10 ** (loud_db(heard.level) / 20)
        low = listen_low(notes, stems.get(DRUMS), frames=len(heard.level), loud=loud)
        return replace(heard, events=bass_line(low, heard.level))


def _is_noise(events: Sequence[NoteEvent]) -> bool:
    """Whether the notes are so few and so unsure that they come from noise."""
    if any(event.end - event.start >= MIN_HELD_FRAMES for event in events):
        return False
    sure = sum(event.end - event.start for event in events if event.activation >= MIN_SURE_ACTIVATION)
    if sure < MIN_SURE_FRAMES:
        return True
    return float(np.percentile([event.activation for event in events], SURE_PERCENTILE)) < MIN_SURE_ACTIVATION


def _hearing(heard: Posteriorgram) -> Hearing:
    notes, onsets = (np.rint(part * np.float16(255)).astype(np.uint8) for part in (heard.notes, heard.onsets))
    return Hearing(chords(heard), notes, onsets, heard.level)
