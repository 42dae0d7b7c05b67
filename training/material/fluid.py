"""Soundfonts played by FluidSynth's library, dry and exact to the sample."""

import ctypes
import ctypes.util
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np

from training.material.corpus import RATE, Note, Sound

SOUNDFONTS = Path("/usr/share/sounds/sf2")
BEND_RANGE = 2
"""Semitones that a full pitch bend stands for."""
TAIL = 3.0
"""Seconds that a released note is given to die away."""


class Missing(Exception):
    """A library or a soundfont is not installed."""


@cache
def _library() -> ctypes.CDLL:
    name = ctypes.util.find_library("fluidsynth")
    if name is None:
        raise Missing("libfluidsynth is missing: on Debian, apt-get install libfluidsynth3")
    library = ctypes.CDLL(name)
    library.new_fluid_settings.restype = ctypes.c_void_p
    library.new_fluid_synth.restype = ctypes.c_void_p
    library.new_fluid_synth.argtypes = [ctypes.c_void_p]
    library.fluid_settings_setnum.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_double]
    library.fluid_settings_setint.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int]
    library.fluid_synth_sfload.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int]
    for call in ("noteon", "cc", "pitch_bend", "pitch_wheel_sens", "noteoff"):
        count = {"noteon": 3, "cc": 3}.get(call, 2)
        getattr(library, f"fluid_synth_{call}").argtypes = [ctypes.c_void_p, *[ctypes.c_int] * count]
    library.fluid_synth_program_select.argtypes = [ctypes.c_void_p, *[ctypes.c_int] * 4]
    library.fluid_synth_system_reset.argtypes = [ctypes.c_void_p]
    library.fluid_synth_write_float.argtypes = [
        ctypes.c_void_p,
        ctypes.c_int,
        *(ctypes.c_void_p, ctypes.c_int, ctypes.c_int) * 2,
    ]
    library.fluid_set_log_function(2, None, None)
    return library


class Font:
    """A soundfont that is loaded. ``play`` renders one part at a time."""

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise Missing(f"the soundfont {path} is missing: README.md names the package")
        self._library = _library()
        settings = self._library.new_fluid_settings()
        for name, number in ((b"synth.sample-rate", float(RATE)), (b"synth.gain", 0.4)):
            self._library.fluid_settings_setnum(settings, name, number)
        for name, switch in (
            (b"synth.reverb.active", 0),
            (b"synth.chorus.active", 0),
            (b"synth.polyphony", 160),
            (b"synth.dynamic-sample-loading", 1),
        ):
            self._library.fluid_settings_setint(settings, name, switch)
        self._synth = self._library.new_fluid_synth(settings)
        self._font = self._library.fluid_synth_sfload(self._synth, str(path).encode(), 0)
        if self._font < 0:
            raise Missing(f"the soundfont {path} cannot be read")

    def play(
        self,
        notes: Sequence[Note],
        length: int,
        *,
        bank: int = 0,
        program: int = 0,
        cents: float = 0.0,
        vibrato: int = 0,
    ) -> Sound:
        """``length`` samples of ``notes``; ``vibrato`` is the modulation wheel 0–127. Percussion: ``bank`` 128."""
        library, synth = self._library, self._synth
        channel = 9 if bank == 128 else 0
        library.fluid_synth_system_reset(synth)
        library.fluid_synth_program_select(synth, channel, self._font, bank, program)
        library.fluid_synth_pitch_wheel_sens(synth, channel, BEND_RANGE)
        library.fluid_synth_pitch_bend(synth, channel, round(8192 * (1 + cents / 100 / BEND_RANGE)))
        library.fluid_synth_cc(synth, channel, 1, vibrato)
        events: list[tuple[int, int, int, int]] = []
        for note in notes:
            first = max(round(note.start * RATE), 0)
            events.append((first, 1, note.pitch, min(max(round(note.velocity * 127), 1), 127)))
            events.append((max(round(note.end * RATE), first + 64), 0, note.pitch, 0))
        sound = np.zeros((2, length), np.float32)
        at = 0
        for sample, is_on, pitch, velocity in sorted(events):
            if sample >= length:
                break
            at = self._write(sound, at, sample)
            if is_on:
                library.fluid_synth_noteon(synth, channel, pitch, velocity)
            else:
                library.fluid_synth_noteoff(synth, channel, pitch)
        self._write(sound, at, min(at + round(TAIL * RATE), length))
        return np.ascontiguousarray(sound.T)

    def _write(self, sound: Sound, at: int, until: int) -> int:
        if until > at:
            left, right = (sound[side].ctypes.data_as(ctypes.c_void_p) for side in (0, 1))
            self._library.fluid_synth_write_float(self._synth, until - at, left, at, 1, right, at, 1)
        return max(until, at)


@cache
def font(name: str) -> Font:
    """A soundfont of ``SOUNDFONTS`` by its file's name, loaded once."""
    return Font(SOUNDFONTS / name)
