"""A song becomes a record: every part is played, treated, balanced and mastered; the stems' sum is the mix."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pedalboard as pb
from numpy.typing import NDArray

from training.drums.samples import Articulation
from training.material import effects, kits, sounds
from training.material.compose import Song, Voice
from training.material.corpus import PEAK, RATE, Note, Sound, Split
from training.material.instruments import CLASSES
from training.material.theory import Random

LOUDNESS = {
    "drums": -19.0,
    "percussion": -23.0,
    "bass": -20.0,
    "guitar": -22.0,
    "keyboard": -23.0,
    "organ": -24.0,
    "strings": -23.0,
    "brass": -22.0,
    "woodwinds": -22.0,
    "synth": -23.0,
    "mallets": -24.0,
    "voice": -20.5,
    "backing_voice": -23.0,
}
"""RMS level of each family in dB, where it sounds."""
SPREAD_DB = 2.5
DRIVE = {"guitar_overdriven": (2.0, 16.0), "guitar_distorted": (14.0, 30.0), "guitar_clean": (-14.0, -2.0)}
"""How far an amplifier is driven, in dB."""
AMPLIFIED = frozenset(("guitar_overdriven", "guitar_distorted", "guitar_clean", "guitar_muted", "guitar_jazz"))


@dataclass(frozen=True, slots=True)
class Track:
    """A finished stem with what is in it."""

    cls: str
    source: str
    sound: Sound
    notes: tuple[Note, ...]


@dataclass(frozen=True, slots=True)
class Desk:
    """What all parts of a mix share."""

    room: Sound
    wet_db: float
    beat: float
    length: int
    cents: float
    kicks: tuple[float, ...]
    pump_db: float
    mono: bool


def record(rng: Random, song: Song, split: Split, drums: Sequence[Articulation]) -> tuple[list[Track], float]:
    """The stems at their levels in the mix, and the song's tuning in cents."""
    length = round(song.duration * RATE)
    style = rng.random()
    cents = 0.0 if style < 0.35 else float(rng.normal(0, 8)) if style < 0.65 else float(rng.uniform(-60, 60))
    dry = rng.random() < 0.15
    desk = Desk(
        effects.impulse(
            rng, float(np.exp(rng.uniform(np.log(0.25), np.log(2.6)))), predelay=float(rng.uniform(0, 0.03))
        ),
        -60.0 if dry else float(rng.uniform(-22, -7)),
        60 / song.bpm,
        length,
        cents,
        song.kicks,
        float(rng.uniform(3, 14)),
        bool(rng.random() < 0.12),
    )
    tracks = [track for voice in song.voices if (track := _track(rng, voice, desk, split, drums)) is not None]
    return _mastered(rng, tracks, desk), cents


def _track(rng: Random, voice: Voice, desk: Desk, split: Split, drums: Sequence[Articulation]) -> Track | None:
    if voice.cls in ("drums", "percussion"):
        source, sound = _drummed(rng, voice, desk, drums)
    else:
        source, sound = _pitched(rng, voice, desk, split)
    reached = effects.level(sound)
    if reached < -100:
        return None
    family = CLASSES[voice.cls].family
    sound = _spaced(rng, voice, sound, desk)
    wanted = LOUDNESS[family] + voice.slot.level + float(rng.normal(0, SPREAD_DB))
    sound = sound * np.float32(10 ** ((wanted - effects.level(sound)) / 20))
    if "pump" in voice.slot.treat and desk.kicks:
        gain = effects.ducking(desk.length, desk.kicks, desk.pump_db, 0.9 * desk.beat)
        sound = sound * gain[:, None]
    return Track(voice.cls, source, _faded(sound), voice.notes)


def _faded(sound: Sound) -> Sound:
    fade = RATE // 5
    sound[-fade:] *= np.linspace(1, 0, fade, dtype=np.float32)[:, None]
    return sound


def _drummed(rng: Random, voice: Voice, desk: Desk, drums: Sequence[Articulation]) -> tuple[str, Sound]:
    keys = sorted({note.pitch for note in voice.notes})
    kit = kits.assemble(rng, drums, keys, width=float(rng.uniform(0.2, 1.0)))
    sound = kits.play(rng, kit, voice.notes, desk.length)
    loudness = effects.level(sound)
    sound = effects.through(sound, *effects.equaliser(rng, 2.0))
    if rng.random() < 0.6:
        squeezed = effects.through(sound, effects.compressor(rng, loudness))
        sound = squeezed if rng.random() < 0.5 else sound + squeezed * np.float32(rng.uniform(0.3, 1.0))
    if rng.random() < 0.35:
        sound = effects.saturated(sound, float(rng.uniform(0, 9)))
    if rng.random() < 0.6:
        room = effects.impulse(rng, float(rng.uniform(0.15, 0.8)))
        sound = effects.reverberated(sound, room, float(rng.uniform(-22, -8)))
    return f"kit {kit.name}", sound


def _pitched(rng: Random, voice: Voice, desk: Desk, split: Split) -> tuple[str, Sound]:
    source = sounds.choose(rng, voice.cls, split)
    seed = int(rng.integers(2**31))
    doubled = "double" in voice.slot.treat and rng.random() < 0.75 and voice.cls in AMPLIFIED
    pan = float(rng.uniform(0.3, 1.0)) * voice.slot.width * (1 if rng.random() < 0.5 else -1)
    raw = sounds.heard(source, seed, voice.notes, desk.length, desk.cents)
    if not doubled:
        return source.name, effects.placed(_treated(rng, voice, raw), pan)
    width = float(rng.uniform(0.6, 1.0))
    again = _replayed(rng, voice.notes)
    other = sounds.heard(source, seed + 1, again, desk.length, desk.cents + float(rng.normal(0, 3)))
    left, right = _treated(rng, voice, raw), _treated(rng, voice, other)
    return source.name, effects.placed(left, -width) + effects.placed(right, width)


def _replayed(rng: Random, notes: Sequence[Note]) -> list[Note]:
    """The same part played once more, never exactly so."""
    moved = rng.normal(0, 0.006, len(notes))
    return [
        replace_note(note, max(note.start + late, 0.0), rng) for note, late in zip(notes, moved.tolist(), strict=True)
    ]


def replace_note(note: Note, start: float, rng: Random) -> Note:
    louder = float(np.clip(note.velocity + rng.normal(0, 0.05), 0.1, 1.0))
    return note._replace(start=start, end=max(note.end, start + 0.03), velocity=louder)


def _treated(rng: Random, voice: Voice, sound: NDArray[np.float32]) -> NDArray[np.float32]:
    """What the instrument goes through before the desk."""
    family = CLASSES[voice.cls].family
    if voice.cls in AMPLIFIED:
        mono = effects.mono(sound)
        sound = effects.amplified(rng, mono, float(rng.uniform(*DRIVE.get(voice.cls, (-16.0, -6.0)))))
    elif family == "bass" and rng.random() < 0.6:
        mono = effects.mono(sound)
        amped = effects.amplified(rng, mono, float(rng.choice([-10, -4, 4, 12])), bass=True)
        share = 10 ** ((effects.level(mono) - effects.level(amped)) / 20)
        blend = float(rng.uniform(0.3, 1.0))
        sound = mono * np.float32(1 - blend) + amped * np.float32(blend * share)
    elif family == "bass" and sound.ndim == 2:
        sound = effects.mono(sound)
    plugins = effects.equaliser(rng, 2.5, low_cut=None if family == "bass" else float(rng.uniform(40, 150)))
    if rng.random() < 0.5:
        plugins.append(effects.compressor(rng, effects.level(sound)))
    sound = effects.through(sound, *plugins)
    if (family in ("organ", "synth", "strings") and rng.random() < 0.25) or (
        voice.cls == "guitar_clean" and rng.random() < 0.3
    ):
        stereo = effects.placed(sound, 0.0) if sound.ndim == 1 else sound
        sound = effects.through(
            stereo, pb.Chorus(float(rng.uniform(0.3, 2)), float(rng.uniform(0.1, 0.4)), 7.0, 0.1, 0.5)
        )
    if rng.random() < 0.1:
        sound = effects.saturated(sound, float(rng.uniform(0, 8)))
    return sound


def _spaced(rng: Random, voice: Voice, sound: Sound, desk: Desk) -> Sound:
    family = CLASSES[voice.cls].family
    wet = desk.wet_db + float(rng.normal(0, 3))
    if family == "bass":
        wet -= 12
    if family in ("voice", "guitar", "synth") and rng.random() < 0.2:
        sound = effects.echoed(rng, sound, desk.beat)
    if wet > -32 and family != "drums":
        sound = effects.reverberated(sound, desk.room, wet)
    return sound


def _mastered(rng: Random, tracks: Sequence[Track], desk: Desk) -> list[Track]:
    """The same gain curves on all stems, so that their sum is the mastered mix."""
    stems = [track.sound for track in tracks]
    if desk.mono:
        stems = [np.repeat(effects.mono(stem)[:, None], 2, axis=1) for stem in stems]
    if rng.random() < 0.5:
        bands = [
            pb.LowShelfFilter(float(rng.uniform(60, 150)), float(rng.normal(0, 1.5)), 0.7),
            pb.HighShelfFilter(float(rng.uniform(5000, 10000)), float(rng.normal(0, 2)), 0.7),
        ]
        stems = [effects.through(stem, *bands) for stem in stems]
    mix = np.sum(stems, axis=0)
    gain = np.ones(len(mix), np.float32)
    if rng.random() < 0.6:
        threshold = effects.level(mix) + float(rng.uniform(-6, 4))
        ratio, attack, release = (
            float(rng.uniform(1.5, 4)),
            float(rng.uniform(0.002, 0.03)),
            float(rng.uniform(0.05, 0.3)),
        )
        gain = effects.compressor_gain(mix, threshold, ratio, attack, release)
    mix = mix * gain[:, None]
    peak = max(float(np.abs(mix).max()), 1e-6)
    push = float(rng.choice([0.0, rng.uniform(0, 4), rng.uniform(3, 10)], p=[0.35, 0.35, 0.3]))
    scale = np.float32(10 ** (push / 20) * PEAK / peak)
    gain = gain * scale
    if push > 0:
        gain = gain * effects.limiter_gain(mix * scale, PEAK)
    both = gain[:, None]
    stems = [stem * both for stem in stems]
    total = float(np.abs(np.sum(stems, axis=0)).max())
    rest = np.float32(min(1.0, PEAK / max(total, 1e-6)))
    return [replace(track, sound=(stem * rest).astype(np.float32)) for track, stem in zip(tracks, stems, strict=True)]
