"""The drum sounds of Debian's packages, as single strokes.

Every sound becomes an ``Articulation``: one drum of one kit, with a recording for each strength that the kit has.
Hydrogen's kits and Sonic Pi's samples are read, soundfonts are played by FluidSynth note by note.
"""

import re
import struct
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import mido
import numpy as np
from numpy.typing import NDArray

from antiphon.errors import NotAudio
from antiphon.music.audio import decode

RATE = 44_100
MAX_SAMPLE_S = 4.0
"""Seconds of a stroke that are kept."""
FAINT = 1e-4
HYDROGEN = Path("/usr/share/hydrogen/data/drumkits")
SONIC_PI = Path("/usr/share/sonic-pi/samples")
SOUNDFONTS = Path("/usr/share/sounds")

Mono = NDArray[np.float32]

KINDS = ("kick", "snare", "closed", "pedal", "open", "low", "mid", "high", "crash", "ride", "other")
"""What a sound is. ``low``, ``mid`` and ``high`` are toms, ``closed``, ``pedal`` and ``open`` hi-hats; ``other`` is
percussion that must not be taken for a drum of the kit: sticks, claps, bells, shakers."""

NAMES = (
    (r"roll|chok|beats_|sample:|strum|loop|\bfx\b|zap", None),
    (r"stick|rim ?click|clap|cowbell|agogo|tamb|shak|maraca|clave|conga|bongo|wood|snap|glass|cajon|djembe", "other"),
    (r"sangban|dununba|kenkeni|whistle|^click", "other"),
    (r"ride-crash|crash/ride", None),
    (r"hat|hi-hat|\bhh\b|ohh", "hat"),
    (r"kick|bass ?drum|^bd_", "kick"),
    (r"snare|^sn_|redo super", "snare"),
    (r"\btom", "tom"),
    (r"ride|^bell$", "ride"),
    (r"crash|splash|china", "crash"),
)

GENERAL_MIDI = {
    **dict.fromkeys((35, 36), "kick"),
    **dict.fromkeys((38, 40), "snare"),
    **{42: "closed", 44: "pedal", 46: "open"},
    **dict.fromkeys((41, 43), "low"),
    **dict.fromkeys((45, 47), "mid"),
    **dict.fromkeys((48, 50), "high"),
    **dict.fromkeys((49, 52, 55, 57), "crash"),
    **dict.fromkeys((51, 53, 59), "ride"),
    **dict.fromkeys((37, 39, 54, 56, 60, 62, 64, 69, 70, 75, 76, 82), "other"),
}
AVL = {
    **{key: kind for key, kind in GENERAL_MIDI.items() if key < 48},
    **{48: "open", 49: "crash", 55: "crash", 57: "crash", 51: "ride", 53: "ride", 59: "ride", 60: "ride"},
    **dict.fromkeys((54, 56, 64), "other"),
}
"""The AVL kits put a loose hi-hat, a choked crash and a second ride where General MIDI has toms and bongos."""

SONIC_PI_KINDS = {
    "bd_": "kick",
    "sn_": "snare",
    "drum_bass": "kick",
    "drum_heavy_kick": "kick",
    "drum_cowbell": "other",
    "drum_cymbal_closed": "closed",
    "drum_cymbal_pedal": "pedal",
    "drum_cymbal_open": "open",
    "drum_cymbal_hard": "crash",
    "drum_cymbal_soft": "ride",
    "drum_snare": "snare",
    "drum_splash": "crash",
    "drum_tom_hi": "high",
    "drum_tom_lo": "low",
    "drum_tom_mid": "mid",
    "elec_cymbal": "crash",
    "elec_snare": "snare",
    "elec_hi_snare": "snare",
    "elec_lo_snare": "snare",
    "elec_mid_snare": "snare",
    "elec_filt_snare": "snare",
    "elec_fuzz_tom": "low",
    "elec_hollow_kick": "kick",
    "elec_soft_kick": "kick",
    "elec_": "other",
    "perc_": "other",
    "tabla_": "other",
}


@dataclass(frozen=True, slots=True)
class Articulation:
    """One drum of ``kit``. ``layers`` are its strokes from soft to hard, mono at 44.1 kHz, each beginning at its
    onset; ``strengths`` are their velocities 0–1. The hardest peaks at 1."""

    kit: str
    kind: str
    layers: tuple[Mono, ...]
    strengths: tuple[float, ...]


def kind_of(name: str) -> str | None:
    """The kind that a kit's author means by ``name``, or None for what is no single stroke of a known drum."""
    name = name.lower()
    found = next((kind for pattern, kind in NAMES if re.search(pattern, name)), None)
    if found == "hat":
        if re.search(r"op|semi|swish|free|ohh|ring", name):
            return "open"
        return "pedal" if re.search(r"ped|pd", name) else "closed"
    if found == "tom":
        if re.search(r"low|lo\b|floor", name):
            return "low"
        return "mid" if re.search(r"mid|tom 2", name) else "high"
    return found


def trimmed(samples: Mono) -> Mono:
    """``samples`` from the onset on: the first that reaches a tenth of the attack's peak, less half a millisecond.
    Ends where it has faded, at the latest after ``MAX_SAMPLE_S``; faded out."""
    level = np.abs(samples)
    if not len(level) or level.max() < FAINT:
        return samples[:0]
    loudest = int(np.argmax(level > 0.5 * level.max()))
    onset = int(np.argmax(level > 0.1 * level[: loudest + 1].max()))
    piece = samples[max(onset - 22, 0) :][: round(MAX_SAMPLE_S * RATE)].copy()
    audible = np.flatnonzero(np.abs(piece) > 1e-3 * level.max())
    piece = piece[: int(audible[-1]) + 1]
    fade = min(441, len(piece))
    piece[-fade:] *= np.linspace(1, 0, fade, dtype=np.float32)
    return piece


def articulation(kit: str, kind: str, layers: list[tuple[float, Mono]]) -> Articulation | None:
    """None if there is nothing to hear."""
    strokes = [
        (strength, stroke)
        for strength, samples in sorted(layers, key=lambda one: one[0])
        if len(stroke := trimmed(samples)) > 200
    ]
    if not strokes:
        return None
    top = max(float(np.abs(stroke).max()) for _, stroke in strokes)
    return Articulation(
        kit, kind, tuple(stroke / np.float32(top) for _, stroke in strokes), tuple(strength for strength, _ in strokes)
    )


def _mono(path: Path) -> Mono:
    """The file's first seconds, or nothing if it is damaged, as one of the kits' files is."""
    try:
        return decode(path, sample_rate=RATE, channels=1, duration=MAX_SAMPLE_S + 1)[:, 0]
    except NotAudio:
        return np.zeros(0, np.float32)


def hydrogen(folder: Path = HYDROGEN) -> Iterator[Articulation]:
    """The articulations of all kits in ``folder``."""
    for description in sorted(folder.glob("*/drumkit.xml")):
        tree = ElementTree.parse(description)
        for instrument in tree.iter():
            if not instrument.tag.endswith("}instrument") and instrument.tag != "instrument":
                continue
            kind = kind_of(_text(instrument, "name"))
            layers = [
                ((float(_text(layer, "min") or 0) + float(_text(layer, "max") or 1)) / 2, _mono(path))
                for layer in [*instrument.iter()]
                if layer.tag.rpartition("}")[2] in ("layer", "instrument")
                and (path := description.parent / _text(layer, "filename")).is_file()
            ]
            made = articulation(description.parent.name, kind, layers) if kind and layers else None
            if made:
                yield made


def _text(element: ElementTree.Element, name: str) -> str:
    """The text of the direct child ``name``, whatever its namespace."""
    return next((child.text or "" for child in element if child.tag.rpartition("}")[2] == name), "")


def sonic_pi(folder: Path = SONIC_PI) -> Iterator[Articulation]:
    for path in sorted(folder.glob("*.flac")):
        kind = next((kind for prefix, kind in SONIC_PI_KINDS.items() if path.name.startswith(prefix)), None)
        made = articulation("Sonic Pi", kind, [(1.0, _mono(path))]) if kind else None
        if made:
            yield made


def presets(path: Path) -> list[tuple[int, int, str]]:
    """Bank, program and name of a soundfont's presets, from its ``phdr`` chunk."""
    data = path.read_bytes()
    at = data.rfind(b"phdr")
    (size,) = struct.unpack("<I", data[at + 4 : at + 8])
    records = [data[at + 8 + offset :][:24] for offset in range(0, size - 38, 38)]
    found = []
    for record in records:
        name, program, bank = struct.unpack("<20sHH", record)
        found.append((bank, program, name.split(b"\0")[0].decode("latin-1")))
    return found


def soundfont(
    path: Path, *, program: int, kit: str, keys: dict[int, str], drums: bool = True
) -> Iterator[Articulation]:
    """The articulations of one preset: each of ``keys`` at three strengths. ``drums``: the preset lies in the
    percussion bank."""
    strengths = (0.3, 0.65, 1.0)
    seconds = {key: 4.0 if kind in ("crash", "ride", "open") else 1.5 for key, kind in keys.items()}
    notes = [(key, strength, seconds[key]) for key in keys for strength in strengths]
    samples = play(path, notes, program=program, channel=9 if drums else 0)
    at = 0.0
    layers: dict[int, list[tuple[float, Mono]]] = {}
    for key, strength, length in notes:
        piece = samples[round(at * RATE) : round((at + length) * RATE)]
        layers.setdefault(key, []).append((strength, piece))
        at += length
    for key, kind in keys.items():
        made = articulation(kit, kind, layers[key])
        if made:
            yield made


def play(path: Path, notes: list[tuple[int, float, float]], *, program: int, channel: int) -> Mono:
    """What FluidSynth makes of ``notes`` (key, velocity 0–1, seconds until the next), one after the other."""
    track = mido.MidiTrack([mido.MetaMessage("set_tempo", tempo=500_000)])
    track.append(mido.Message("program_change", program=program, channel=channel))
    for key, strength, length in notes:
        track.append(mido.Message("note_on", note=key, velocity=round(127 * strength), channel=channel))
        track.append(mido.Message("note_off", note=key, channel=channel, time=round(length * 960)))
    return render(path, mido.MidiFile(ticks_per_beat=480, tracks=[track]))


def render(path: Path, song: mido.MidiFile, *, gain: float = 0.5) -> Mono:
    """``song`` played by FluidSynth with the soundfont ``path``, without its reverb and chorus."""
    with tempfile.TemporaryDirectory() as folder:
        midi, wave = Path(folder) / "notes.mid", Path(folder) / "sound.wav"
        song.save(midi)
        command = ["fluidsynth", "-ni", "-q", "-R", "0", "-C", "0", "-g", str(gain), "-r", str(RATE), "-O", "float"]
        subprocess.run([*command, "-T", "wav", "-F", str(wave), str(path), str(midi)], check=True, capture_output=True)
        return decode(wave, sample_rate=RATE, channels=1)[:, 0]


def soundfonts(folder: Path = SOUNDFONTS) -> Iterator[Articulation]:
    """The drum kits of the soundfonts that are installed; the same sound in two kits of one font comes once. Left out:
    effects, timpani where an orchestra's kit has toms, and brushes that stir without a stroke."""
    for name in ("Black_Pearl_4_LV2", "Red_Zeppelin_4_LV2"):
        path = folder / "sf2" / f"{name}.sf2"
        if path.is_file():
            yield from soundfont(path, program=0, kit=name, keys=AVL, drums=False)
    for path in (folder / "sf2" / f"{name}.sf2" for name in ("FluidR3_GM", "TimGM6mb", "sf_GMbank", "OPL-3_FM_128M")):
        known: set[bytes] = set()
        for bank, program, name in presets(path) if path.is_file() else ():
            if bank != 128 or name.startswith(("SFX", "CM-64", "Orchestra")):
                continue
            keys = {key: kind for key, kind in GENERAL_MIDI.items() if key != 40 or "Brush" not in name}
            for made in soundfont(path, program=program, kit=f"{path.stem} {name}", keys=keys):
                print_ = np.rint(made.layers[-1][:4000] * 50).astype(np.int8).tobytes()
                if print_ not in known:
                    known.add(print_)
                    yield made


def collect() -> list[Articulation]:
    """All that is installed."""
    return [*hydrogen(), *sonic_pi(), *soundfonts()]
