"""Drum kits out of free samples, by General MIDI key: collected once, put together anew for each song, and played."""

import pickle
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from training.drums.kits import synthetic
from training.drums.samples import HYDROGEN, SONIC_PI, Articulation, articulation, presets
from training.drums.samples import _mono as read_mono
from training.material import fluid
from training.material.corpus import RATE, Note, Sound, Split
from training.material.theory import Random

VALIDATION_KITS = ("ColomboAcousticDrumkit", "Red_Zeppelin_4_LV2", "VariBreaks", "sf_GMbank")
"""Sets whose names begin so are kept for validation."""

Mono = NDArray[np.float32]

NAMES: tuple[tuple[str, int | None], ...] = (
    (r"roll|chok|beats_|sample:|strum|loop|\bfx\b|zap", None),
    (r"side ?stick|rim|cross|stick|click", 37),
    (r"clap", 39),
    (r"cowbell", 56),
    (r"tamb", 54),
    (r"shak|maraca", 70),
    (r"clave", 75),
    (r"conga|djembe|sangban|dununba|kenkeni", 64),
    (r"bongo", 60),
    (r"agogo|wood|snap|glass|cajon|whistle", None),
    (r"ride-crash|crash/ride", None),
    (r"(hat|hi-hat|\bhh\b|ohh).*(op|semi|swish|free|ring)|ohh|open.*hat", 46),
    (r"(hat|hi-hat|\bhh\b).*(ped|pd|foot)|ped.*hat", 44),
    (r"hat|hi-hat|\bhh\b", 42),
    (r"kick|bass ?drum|^bd_", 36),
    (r"snare|^sn_|redo super", 38),
    (r"\btom.*(low|lo\b|floor)|floor", 43),
    (r"\btom.*(mid|tom 2)", 47),
    (r"\btom", 50),
    (r"ride.*bell|^bell$|\bbell\b", 53),
    (r"ride", 51),
    (r"china", 52),
    (r"splash", 55),
    (r"crash", 49),
)
"""A key for what a kit's author calls a sound; None for what has no use. The first that fits counts."""
SONIC_PI_KEYS: Mapping[str, int] = {
    "bd_": 36,
    "drum_heavy_kick": 36,
    "drum_bass": 36,
    "sn_": 38,
    "drum_snare": 38,
    "drum_cymbal_closed": 42,
    "drum_cymbal_pedal": 44,
    "drum_cymbal_open": 46,
    "drum_cymbal_hard": 49,
    "drum_cymbal_soft": 51,
    "drum_splash": 55,
    "drum_tom_hi": 50,
    "drum_tom_mid": 47,
    "drum_tom_lo": 43,
    "drum_cowbell": 56,
    "elec_cymbal": 49,
    "elec_hi_snare": 38,
    "elec_lo_snare": 38,
    "elec_mid_snare": 38,
    "elec_filt_snare": 38,
    "elec_snare": 38,
    "elec_hollow_kick": 36,
    "elec_soft_kick": 36,
    "elec_fuzz_tom": 43,
    "elec_twip": 42,
    "elec_tick": 42,
    "elec_pop": 37,
    "perc_snap": 39,
}
SOUNDFONT_KEYS = (*range(35, 58), 59, 60, 61, 62, 63, 64, 69, 70, 75)
AVL_KEYS = {
    36: 36,
    37: 37,
    38: 38,
    41: 43,
    43: 43,
    45: 47,
    47: 50,
    42: 42,
    44: 44,
    46: 46,
    49: 49,
    57: 49,
    51: 51,
    53: 53,
}
ALIKE: Mapping[int, tuple[int, ...]] = {
    35: (36,),
    40: (38,),
    41: (43, 45),
    43: (41, 45),
    45: (47, 43),
    47: (45, 48, 50),
    48: (50, 47),
    50: (48, 47),
    57: (49,),
    59: (51,),
    53: (51,),
    44: (42,),
    52: (49,),
    55: (49,),
    60: (61, 64),
    61: (60, 64),
    62: (63, 64),
    63: (62, 64),
    64: (63, 62),
}
"""Which keys' sounds may stand in for one that a kit lacks."""
LEVELS: Mapping[int, tuple[float, float]] = {
    36: (0.0, 2.5),
    38: (-1.0, 2.5),
    37: (-7.0, 3.0),
    39: (-5.0, 3.0),
    42: (-14.0, 4.0),
    44: (-16.0, 4.0),
    46: (-12.0, 4.0),
    43: (-3.0, 3.0),
    47: (-3.5, 3.0),
    50: (-4.0, 3.0),
    49: (-8.0, 4.0),
    51: (-14.0, 4.0),
    53: (-13.0, 4.0),
}
PANS: Mapping[int, float] = {
    42: 0.35,
    44: 0.35,
    46: 0.35,
    43: -0.5,
    41: -0.6,
    45: -0.3,
    47: -0.1,
    48: 0.15,
    50: 0.3,
    49: -0.45,
    57: 0.55,
    51: 0.5,
    53: 0.5,
    59: -0.4,
    52: 0.4,
    55: -0.2,
    64: -0.3,
    63: 0.3,
    70: 0.5,
    54: -0.4,
}
CHOKES = (42, 44, 46)
ELECTRONIC_KEYS: Mapping[int, str] = {
    36: "kick",
    38: "snare",
    42: "closed",
    46: "open",
    43: "low",
    47: "mid",
    50: "high",
}
DEPTH = (14.0, 30.0)
"""Decibels from the softest stroke to the hardest."""


def key_of(name: str) -> int | None:
    """The General MIDI key of what a kit's author calls ``name``."""
    name = name.lower()
    return next((key for pattern, key in NAMES if re.search(pattern, name)), None)


def collect() -> list[Articulation]:
    """All drum sounds that are installed; ``kind`` is the key as text."""
    found = [*_hydrogen(), *_sonic_pi()]
    for name in ("Black_Pearl_4_LV2", "Red_Zeppelin_4_LV2"):
        found += _soundfont(f"{name}.sf2", 0, 0, name, AVL_KEYS)
    for file in ("TimGM6mb.sf2", "sf_GMbank.sf2", "OPL-3_FM_128M.sf2"):
        for program, title in _kits(file):
            found += _soundfont(file, 128, program, f"{Path(file).stem} {title}", {key: key for key in SOUNDFONT_KEYS})
    return found


def _kits(file: str) -> list[tuple[int, str]]:
    return [
        (program, name)
        for bank, program, name in presets(fluid.SOUNDFONTS / file)
        if bank == 128 and not name.startswith(("SFX", "CM-64", "Orchestra"))
    ]


def _hydrogen(folder: Path = HYDROGEN) -> Iterator[Articulation]:
    for description in sorted(folder.glob("*/drumkit.xml")):
        for instrument in ElementTree.parse(description).iter():
            if instrument.tag.rpartition("}")[2] != "instrument":
                continue
            key = key_of(_text(instrument, "name"))
            layers = [
                ((float(_text(layer, "min") or 0) + float(_text(layer, "max") or 1)) / 2, read_mono(path))
                for layer in instrument.iter()
                if layer.tag.rpartition("}")[2] in ("layer", "instrument")
                and (path := description.parent / _text(layer, "filename")).is_file()
            ]
            made = articulation(description.parent.name, str(key), layers) if key and layers else None
            if made:
                yield made


def _text(element: ElementTree.Element, name: str) -> str:
    return next((child.text or "" for child in element if child.tag.rpartition("}")[2] == name), "")


def _sonic_pi(folder: Path = SONIC_PI) -> Iterator[Articulation]:
    for path in sorted(folder.glob("*.flac")):
        key = next((key for prefix, key in SONIC_PI_KEYS.items() if path.name.startswith(prefix)), None)
        made = articulation("Sonic Pi", str(key), [(1.0, read_mono(path))]) if key else None
        if made:
            yield made


def _soundfont(file: str, bank: int, program: int, kit: str, keys: Mapping[int, int]) -> Iterator[Articulation]:
    """Each key at three strengths."""
    for played, key in keys.items():
        seconds = 3.5 if key in (46, 49, 51, 52, 53, 55, 57, 59) else 1.2
        layers = []
        for strength in (0.35, 0.7, 1.0):
            note = Note(0.0, 0.3 if bank == 128 else seconds, played, strength)
            sound = fluid.font(file).play([note], round(seconds * RATE), bank=bank, program=program)
            layers.append((strength, sound.mean(axis=1).astype(np.float32)))
        made = articulation(kit, str(key), layers)
        if made:
            yield made


def bank(work: Path) -> dict[Split, list[Articulation]]:
    """All sounds by split; collected once and kept in ``work``."""
    path = work / "kits.pickle"
    if not path.exists():
        path.write_bytes(pickle.dumps(collect()))
    found: list[Articulation] = pickle.loads(path.read_bytes())
    held = [one for one in found if one.kit.startswith(VALIDATION_KITS)]
    return {"train": [one for one in found if not one.kit.startswith(VALIDATION_KITS)], "valid": held}


@dataclass(frozen=True, slots=True)
class Drum:
    """Strokes from soft to hard with their strengths 0–1, ``gain`` and place -1 to 1."""

    layers: tuple[Mono, ...]
    strengths: tuple[float, ...]
    gain: float
    pan: float


@dataclass(frozen=True, slots=True)
class Kit:
    name: str
    drums: Mapping[int, Drum]
    depth: float


def assemble(rng: Random, sounds: Sequence[Articulation], keys: Sequence[int], *, width: float = 0.6) -> Kit:
    """A kit that has ``keys``: mostly the drums of one set, at times each of another; tuned and balanced at random."""
    sets = sorted({one.kit for one in sounds if one.kind == "38"})
    sizes = np.array([len({one.kind for one in sounds if one.kit == name}) for name in sets], float)
    sizes[[name.startswith("OPL-3") for name in sets]] *= 0.25
    main = str(rng.choice(sets, p=sizes / sizes.sum()))
    mixed, machine, tune = rng.random() < 0.35, rng.random() < 0.08, float(rng.normal(0, 0.05))
    mirrored = 1 if rng.random() < 0.5 else -1
    drums = {}
    for key in keys:
        layers, strengths = _sounds(rng, sounds, key, main, mixed=mixed, machine=machine)
        ratio = float(np.exp(tune + rng.normal(0, 0.07)))
        if abs(ratio - 1) > 0.01:
            layers = tuple(_faster(layer, ratio) for layer in layers)
        if rng.random() < 0.25 and key not in (49, 51, 57):
            layers = tuple(_damped(layer, float(np.exp(rng.uniform(np.log(0.06), np.log(0.6))))) for layer in layers)
        level = LEVELS.get(key) or LEVELS.get(ALIKE.get(key, (0,))[0]) or (-9.0, 4.0)
        gain = float(10 ** (rng.normal(*level) / 20))
        pan = PANS.get(key, 0.0) * width * mirrored + float(rng.normal(0, 0.06))
        drums[key] = Drum(layers, strengths, gain, float(np.clip(pan, -1, 1)))
    name = f"{main}{' mixed' if mixed else ''}{' machine' if machine else ''}"
    return Kit(name, drums, float(rng.uniform(*DEPTH)))


def _sounds(
    rng: Random, sounds: Sequence[Articulation], key: int, main: str, *, mixed: bool, machine: bool
) -> tuple[tuple[Mono, ...], tuple[float, ...]]:
    if machine and key in ELECTRONIC_KEYS:
        return (synthetic(rng, ELECTRONIC_KEYS[key]),), (1.0,)
    for wanted in (key, *ALIKE.get(key, ())):
        every = [one for one in sounds if one.kind == str(wanted)]
        own = [one for one in every if one.kit == main]
        chosen = own if own and not (mixed and rng.random() < 0.7) else every
        if chosen:
            names = sorted({one.kit for one in chosen})
            name = names[int(rng.integers(len(names)))]
            pool = [one for one in chosen if one.kit == name]
            picked = pool[int(rng.integers(len(pool)))]
            return tuple(layer / max(float(np.abs(layer).max()), 1e-6) for layer in picked.layers), picked.strengths
    return (synthetic(rng, "closed"),), (1.0,)


def _faster(samples: Mono, ratio: float) -> Mono:
    places = np.arange(0, len(samples) - 1, ratio)
    return np.asarray(np.interp(places, np.arange(len(samples)), samples), np.float32)


def _damped(samples: Mono, seconds: float) -> Mono:
    return (samples * np.exp(-np.arange(len(samples)) / (seconds * RATE))).astype(np.float32)


def play(rng: Random, kit: Kit, notes: Sequence[Note], length: int) -> Sound:
    """``notes`` on a kit; a closing hi-hat silences an open one. (length, 2)."""
    sound = np.zeros((length, 2), np.float32)
    hats = sorted(note.start for note in notes if note.pitch in CHOKES)
    following = dict(pairwise(hats))
    for note in notes:
        drum = kit.drums[note.pitch]
        nearest = int(np.argmin([abs(strength - note.velocity) for strength in drum.strengths]))
        nearest = min(max(nearest + int(rng.choice([-1, 0, 0, 0, 1])), 0), len(drum.layers) - 1)
        stroke = drum.layers[nearest]
        level = -kit.depth * (1 - note.velocity) + float(rng.normal(0, 0.7))
        start = round(note.start * RATE)
        if note.pitch in CHOKES and note.start in following:
            stroke = _choked(stroke, round((following[note.start] - note.start) * RATE))
        stroke = stroke[: max(length - start, 0)] * np.float32(drum.gain * 10 ** (level / 20))
        angle = (drum.pan + 1) * np.pi / 4
        for side, share in enumerate((np.cos(angle), np.sin(angle))):
            sound[start : start + len(stroke), side] += stroke * np.float32(share)
    return sound


def _choked(stroke: Mono, end: int) -> Mono:
    if end >= len(stroke):
        return stroke
    cut = stroke[: end + 600].copy()
    fade = len(cut) - end
    cut[end:] *= np.linspace(1, 0, fade, dtype=np.float32)
    return cut
