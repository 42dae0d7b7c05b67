"""The other instruments: basses, guitars, keys, leads played by FluidSynth, and voices spoken by eSpeak NG.

What they leak into a drum stem is what the network has to learn to ignore.
"""

import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import mido
import numpy as np
import soxr

from antiphon.music.audio import decode
from training.drums.patterns import Random
from training.drums.samples import RATE, SOUNDFONTS, Mono, render

SECONDS = 36.0
FONTS = ("sf2/FluidR3_GM.sf2", "sf3/MuseScore_General_Full.sf3", "sf2/TimGM6mb.sf2", "sf2/FluidR3_GM.sf2")
PROGRAMS = {
    "bass": (32, 33, 33, 34, 34, 35, 36, 37, 38, 39),
    "chords": (
        0,
        1,
        4,
        5,
        7,
        16,
        17,
        18,
        21,
        24,
        25,
        25,
        26,
        27,
        27,
        28,
        29,
        29,
        30,
        30,
        48,
        50,
        61,
        62,
        80,
        81,
        88,
        89,
    ),
    "lead": (11, 12, 22, 25, 27, 29, 30, 40, 52, 53, 54, 56, 57, 64, 65, 66, 71, 73, 80, 81, 84, 104, 105),
}
VOICES = ("en+f3", "en+m3", "en-us+f2", "en-us+m7", "de+f4", "es+m1", "it+f5", "fr+m4", "pt+f2", "sv+m5")
SYLLABLES = (
    "sha",
    "see",
    "love",
    "stay",
    "night",
    "fire",
    "this",
    "time",
    "heart",
    "so",
    "chase",
    "us",
    "la",
    "yes",
    "hold",
    "ta",
)


@dataclass(frozen=True, slots=True)
class Backing:
    """Parts of one piece without drums, each mono at 44.1 kHz and peaking at 1, at ``tempo`` from time 0."""

    tempo: float
    parts: tuple[Mono, ...]


def compose(rng: Random) -> Backing:
    """Chords in a loop, a bass under them, a lead over them, perhaps a voice."""
    tempo = float(np.exp(rng.uniform(np.log(60), np.log(200))))
    font = SOUNDFONTS / FONTS[int(rng.integers(len(FONTS)))]
    roots = [int(root) for root in rng.choice([0, 2, 3, 5, 7, 8, 9, 10], int(rng.choice([2, 4, 4])))]
    key = int(rng.integers(12))
    parts = []
    for role, programs in PROGRAMS.items():
        notes = {"bass": _bass, "chords": _chords, "lead": _lead}[role](rng, roots, key)
        sound = _loud(render(font, _song(notes, tempo, int(rng.choice(programs))), gain=0.3))
        if role != "bass" and rng.random() < 0.25:
            sound = _loud(np.tanh(sound * np.float32(rng.uniform(3, 30))))
        parts.append(sound)
    if rng.random() < 0.7:
        parts.append(_loud(_voice(rng)))
    return Backing(tempo, tuple(parts))


Notes = list[tuple[float, float, int, int]]
"""Start and length in beats, key, MIDI velocity."""


def _bars() -> int:
    return 32


def _bass(rng: Random, roots: Sequence[int], key: int) -> Notes:
    grid = float(rng.choice([0.5, 0.5, 1.0, 0.25]))
    pattern = rng.random(round(4 / grid)) < rng.uniform(0.3, 1)
    pattern[0] = True
    leaps = rng.choice([0, 0, 0, 7, 12, 5], len(pattern))
    return [
        (
            4 * bar + step * grid,
            grid * 0.9,
            28 + (key + roots[bar % len(roots)]) % 12 + int(leaps[step]),
            int(rng.integers(70, 127)),
        )
        for bar in range(_bars())
        for step in np.flatnonzero(pattern).tolist()
    ]


def _chords(rng: Random, roots: Sequence[int], key: int) -> Notes:
    grid = float(rng.choice([4.0, 1.0, 0.5, 0.5, 0.25]))
    pattern = rng.random(max(round(4 / grid), 1)) < rng.uniform(0.3, 1)
    pattern[0] = True
    shape = [(0, 4, 7), (0, 3, 7), (0, 7, 12), (0, 4, 7, 11)][int(rng.integers(4))]
    length = grid * float(rng.choice([0.3, 0.9]))
    return [
        (4 * bar + step * grid, length, 45 + (key + roots[bar % len(roots)]) % 12 + tone, int(rng.integers(60, 120)))
        for bar in range(_bars())
        for step in np.flatnonzero(pattern).tolist()
        for tone in shape
    ]


def _lead(rng: Random, roots: Sequence[int], key: int) -> Notes:
    notes: Notes = []
    at, pitch = 0.0, 67
    while at < 4 * _bars():
        length = float(rng.choice([0.25, 0.5, 0.5, 1.0, 2.0]))
        if rng.random() < 0.75:
            pitch = min(max(pitch + int(rng.choice([-4, -2, -1, 0, 1, 2, 3, 5])), 55), 86)
            notes.append((at, length * 0.95, pitch + (key + roots[0]) % 3, int(rng.integers(60, 120))))
        at += length
    return notes


def _song(notes: Notes, tempo: float, program: int) -> mido.MidiFile:
    """``notes`` up to ``SECONDS``."""
    last = SECONDS * tempo / 60
    events = [(start, True, key, velocity) for start, _, key, velocity in notes if start < last]
    events += [(min(start + length, last), False, key, 0) for start, length, key, _ in notes if start < last]
    track = mido.MidiTrack([mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(tempo))])
    track.append(mido.Message("program_change", program=program))
    now = 0
    for beat, on, key, velocity in sorted(events):
        tick = round(beat * 480)
        track.append(mido.Message("note_on" if on else "note_off", note=key, velocity=velocity, time=tick - now))
        now = tick
    return mido.MidiFile(ticks_per_beat=480, tracks=[track])


def _voice(rng: Random) -> Mono:
    """Somebody speaking or chanting syllables, tuned at random."""
    words = [SYLLABLES[int(rng.integers(len(SYLLABLES)))] for _ in range(110)]
    text = " ".join(word + ("," if rng.random() < 0.15 else "") for word in words)
    voice = VOICES[int(rng.integers(len(VOICES)))]
    with tempfile.TemporaryDirectory() as folder:
        wave = Path(folder) / "voice.wav"
        speed, pitch = str(int(rng.integers(90, 190))), str(int(rng.integers(20, 90)))
        command = ["espeak-ng", "-v", voice, "-s", speed, "-p", pitch, "-w", str(wave), text]
        subprocess.run(command, check=True, capture_output=True)
        spoken = decode(wave, sample_rate=RATE, channels=1)[:, 0]
    played: Mono = soxr.resample(spoken, RATE * float(rng.uniform(0.8, 1.25)), RATE)
    return played


def _loud(samples: Mono) -> Mono:
    """Peaking at 1 and ``SECONDS`` long."""
    length = round(SECONDS * RATE)
    cut = np.pad(samples, (0, max(length - len(samples), 0)))[:length]
    return (cut / max(float(np.abs(cut).max()), 1e-4)).astype(np.float32)
