"""Instruments of a song, from its stems."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from antiphon.music import audio, drums, weights
from antiphon.music import instruments as named
from antiphon.music.progress import Progress, Together, part
from antiphon.music.transcription.ear import BASS, DRUMS, VOICE, EarName, Hearing, PitchedEar
from antiphon.music.transcription.ears import choose
from antiphon.music.transcription.leakage import owned
from antiphon.music.transcription.levels import HOP, MIN_PITCH, SAMPLE_RATE
from antiphon.music.transcription.monophony import sing
from antiphon.music.transcription.notecreation import NoteEvent
from antiphon.music.transcription.sound import Sound, in_db, joined, loud_db
from antiphon.music.transcription.survey import Survey, survey
from antiphon.music.transcription.timbre import Spectra, timbre
from antiphon.music.transcription.velocity import velocities
from antiphon.music.transcription.voice import PitchTracker, at_onsets, is_residue, is_spoken, sung
from antiphon.score.notes import InstrumentPart, Note

MARGINS = {VOICE: 3.0, BASS: 2.0}
"""How many times as salient the notes of a stem may be in another stem."""
LOWEST_SUNG, HIGHEST_SUNG = 40, 84
"""MIDI pitches of a voice, both included."""
SILENT_DB = -60.0
"""RMS level under which a stem, or a note, is taken for leakage, in a song of ``TARGET_LOUD_DB``."""
MAX_NOTE_BELOW_LOUD_DB = 40.0
"""A note this many dB under the stem's loud passages is taken for leakage from another stem."""
MAX_FAINT_BELOW_LOUDEST_DB, MIN_FAINT_BUSY_SHARE = 20.0, 0.05
"""A stem that is this many dB quieter than the loudest and plays for less than this share of the song is leakage."""
MIN_OWN_NOTE_SHARE = 0.25
"""A stem of whose notes a smaller share are its own is leakage."""
MAX_BASS_BELOW_BAND_DB = 13.0
"""A bass stem this many dB quieter than all that is not sung is the low end of other instruments, and is heard with the
rest. Basses have -11.6 and more on the validation's pieces, low ends of songs without one -14 (and some -6)."""
MAX_DRUMS_BELOW_LOUDEST_DB = 35.0
"""Drums this many dB quieter than the loudest stem are what the separation left of it."""
LONG_SONG_S = 900.0
"""Seconds from which on the stems of a song are heard one after another, to save memory."""
SPECTRA_SAMPLES = 10 * SAMPLE_RATE
SURVEY_SHARE = 0.05
"""Share of the work after which loudness and tuning are known."""


@dataclass(frozen=True, slots=True)
class Transcription:
    """The instrument heard in each stem, and how many cents over A = 440 Hz the song is tuned."""

    instruments: Mapping[str, InstrumentPart]
    tuning_cents: float


def transcribe(
    stems: Mapping[str, Path], *, models: Path, threads: int, progress: Progress, ear: EarName = "own"
) -> list[InstrumentPart]:
    """Instruments of a song, as ``by_stem`` finds them."""
    heard = by_stem(stems, models=models, threads=threads, progress=progress, ear=ear)
    return list(heard.instruments.values())


def by_stem(
    stems: Mapping[str, Path], *, models: Path, threads: int, progress: Progress, ear: EarName = "own"
) -> Transcription:
    """The instrument heard in each stem, with its notes in order of start and pitch; a stem in which nothing plays has
    none. A whole song counts as the stem ``other``.

    The song is brought to one loudness and listened to in its own tuning. ``drums`` goes to the drum detector,
    ``vocal`` to the pitch tracker, everything else to the ear.

    Args:
        stems: File by name of the stem.
        models: Folder in which the weights are kept.
        threads: At most so many are used.
        progress: Is told the share of the work that is done.
        ear: What hears the notes.

    Raises:
        WeightsError: The weights are not there and cannot be fetched.
        NotAudio: A file cannot be decoded.
    """
    found = survey(stems)
    progress(SURVEY_SHARE, "tuning")
    duration = max((audio.stated_duration(path) or 0.0 for path in stems.values()), default=0.0)
    sounds = {stem: found.sound([path], duration) for stem, path in stems.items()}
    band = _band(sounds, found)
    work: dict[str, Callable[[Progress], None]] = {}
    hits: list[Note] = []
    heard: dict[str, Hearing] = {}
    if band or VOICE in stems:
        listener = choose(ear, models=models, threads=threads)
        if band:
            work["notes"] = lambda step: heard.update(listener.band(band, progress=step))
        if VOICE in stems:
            tracker = PitchTracker(weights.ensure(models, "swift_f0"), threads=threads)
            work[VOICE] = lambda step: heard.update({VOICE: _voice(sounds[VOICE], listener, tracker, step)})
    if DRUMS in stems:
        work[DRUMS] = lambda step: hits.extend(
            drums.detect(stems[DRUMS], duration=duration, gain_db=found.gain_db, progress=step)
        )
    together = Together(part(progress, SURVEY_SHARE, 1), len(work))

    def do(name: str) -> None:
        step = together.of(name)
        work[name](step)
        step(1.0, name)

    with ThreadPoolExecutor(max(1, min(threads, len(work))) if duration < LONG_SONG_S else 1) as pool:
        list(pool.map(do, work))
    present = _present(_sorted_out(heard), found)
    instruments = {stem: _instrument(stem, one, sounds[stem]) for stem, one in present.items()}
    if hits and _drums_play(found):
        instruments[DRUMS] = InstrumentPart(*named.of_stem(DRUMS), tuple(hits))
    return Transcription({stem: instruments[stem] for stem in stems if stem in instruments}, found.tuning_cents)


def _band(sounds: Mapping[str, Sound], found: Survey) -> dict[str, Sound]:
    """What plays but is not sung; the low end that the separation took for a bass is with the rest. Empty where no
    pitched stem is left. (Whether there is a bass stem at all, ``separation.presence`` decides.)"""
    band = {stem: sound for stem, sound in sounds.items() if stem != VOICE}
    rest = [stem for stem in band if stem not in (BASS, DRUMS)]
    if not rest and BASS not in band:
        return {}
    if rest and BASS in band and found.levels_db[BASS] < found.level_db(band) - MAX_BASS_BELOW_BAND_DB:
        band[rest[0]] = joined([band[rest[0]], band.pop(BASS)])
    return band


def _voice(sound: Sound, ear: PitchedEar, tracker: PitchTracker, progress: Progress) -> Hearing:
    """A voice's notes."""
    heard = ear.listen(sound, progress=part(progress, 0, 0.7))
    track = tracker.follow(sound, frames=len(heard.level), progress=part(progress, 0.7, 1))
    columns = slice(LOWEST_SUNG - MIN_PITCH, HIGHEST_SUNG - MIN_PITCH + 1)
    notes, onsets = (part[:, columns].astype(np.float32) / np.float32(255) for part in (heard.notes, heard.onsets))
    pitch = sung(track, heard.level)
    events = at_onsets(sing(pitch, notes, onsets, lowest=LOWEST_SUNG), heard.onsets)
    nobody = is_spoken(events, pitch) or is_residue(events, heard.level)
    return replace(heard, events=[] if nobody else events)


def _sorted_out(heard: Mapping[str, Hearing]) -> dict[str, Hearing]:
    """Each stem with the notes that are its own and loud enough; with none where only few are."""
    result = {}
    for stem, one in heard.items():
        others = [other.salience for name, other in heard.items() if name != stem]
        events = _loud_enough(one)
        own = owned(events, one.salience, others, margin=MARGINS.get(stem, 1.0), heard_elsewhere=stem == BASS)
        result[stem] = replace(one, events=own if len(own) > MIN_OWN_NOTE_SHARE * len(events) else [])
    return result


def _loud_enough(heard: Hearing) -> list[NoteEvent]:
    decibels = in_db(heard.level)
    quietest = max(loud_db(heard.level, SILENT_DB) - MAX_NOTE_BELOW_LOUD_DB, SILENT_DB)
    return [event for event in heard.events if decibels[event.start : event.end].max(initial=-200.0) > quietest]


def _present(heard: Mapping[str, Hearing], found: Survey) -> dict[str, Hearing]:
    """The stems in which an instrument plays."""
    playing = {stem: one for stem, one in heard.items() if one.events}
    levels = {stem: found.levels_db[stem] for stem in playing}
    if BASS in found.levels_db and BASS not in playing:  # the low end of the rest
        levels |= {stem: found.level_db([stem, BASS]) for stem in levels if stem != VOICE}
    faint = max(levels.values(), default=SILENT_DB) - MAX_FAINT_BELOW_LOUDEST_DB
    return {
        stem: one
        for stem, one in playing.items()
        if levels[stem] > SILENT_DB and (levels[stem] > faint or one.busy > MIN_FAINT_BUSY_SHARE)
    }


def _drums_play(found: Survey) -> bool:
    loudest = max((level for stem, level in found.levels_db.items() if stem != DRUMS), default=SILENT_DB)
    return found.levels_db[DRUMS] > loudest - MAX_DRUMS_BELOW_LOUDEST_DB


def _instrument(stem: str, heard: Hearing, sound: Sound) -> InstrumentPart:
    """What plays a stem, with its notes in seconds."""
    spectra = Spectra()
    if stem != VOICE:
        for block in sound.blocks(SAMPLE_RATE, SPECTRA_SAMPLES):
            spectra.push(block)
    measured = timbre(spectra.levels(), heard.events)
    frame = HOP / SAMPLE_RATE
    strengths = velocities(heard.events, heard.level)
    notes = (
        Note(event.pitch, event.start * frame, event.end * frame, strength)
        for event, strength in zip(heard.events, strengths, strict=True)
    )
    return InstrumentPart(*named.of_stem(stem, measured), tuple(notes))
