"""Plays a piece with FluidSynth and a General MIDI soundfont, family by family, and keeps the sound in a folder.

Each family of parts is rendered by itself and brought to its loudness in the mix, whatever the soundfont's own
balance is; the mix is their exact sum. What sounds late is played early: of each instrument the time that a note takes
to be heard is measured, so that the score's onsets are those of the sound.
"""

import json
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path

import mido
import numpy as np
from numpy.typing import NDArray

from antiphon.music.audio import Writer, decode
from antiphon.score.notes import InstrumentPart, Note
from bench.eval_midi.compose import Part, Piece, compose
from bench.eval_midi.families import Family, family
from bench.eval_midi.styles import Style

RATE = 44_100
VERSION = 2
"""Raised when the same notes would sound differently, so that what is kept is made anew."""
SOUNDFONTS = Path("/usr/share/sounds")
FONTS: Mapping[str, tuple[str, ...]] = {
    "fluid": ("sf2/FluidR3_GM.sf2",),
    "musescore": ("sf3/MuseScore_General.sf3", "sf3/MuseScore_General_Full.sf3"),
}
"""Files of the soundfonts, the first that is there counts: Debian's fluid-soundfont-gm and
musescore-general-soundfont."""
LOUDNESS: Mapping[Family, float] = {"drums": -20.0, "bass": -22.0, "vocals": -20.0, "other": -22.0}
"""RMS level of a family's part of the mix, in dB, before the mix is brought to its peak."""
PEAK = 0.89
HEARD = -10.0
"""A note is heard when it has come this near to its loudest, in dB."""
TICKS = 960

Sound = NDArray[np.float32]


class Missing(Exception):
    """FluidSynth or a soundfont is not installed."""


def soundfont(name: str) -> Path:
    found = next((path for file in FONTS[name] if (path := SOUNDFONTS / file).is_file()), None)
    if found is None:
        raise Missing(
            f"the soundfont {name} is missing ({SOUNDFONTS / FONTS[name][0]}): on Debian, "
            "apt-get install fluidsynth fluid-soundfont-gm musescore-general-soundfont"
        )
    return found


def rendered(style: Style, font: str, cache: Path) -> Path:
    """The folder with ``mix.flac``, a file for each family, and ``truth.json``; made if it is not there."""
    piece = compose(style)
    truth = json.dumps({"beats": piece.beats, "instruments": [asdict(part.instrument) for part in piece.parts]})
    levels = json.dumps([[part.level, part.pan] for part in piece.parts])
    print_ = sha256(f"{VERSION} {truth} {levels} {dict(LOUDNESS)}".encode()).hexdigest()[:12]
    folder = cache / "pieces" / f"{style.name}-{font}-{print_}"
    if not (folder / "truth.json").is_file():
        scratch = Path(tempfile.mkdtemp(dir=_made(cache / "pieces"), prefix=".making-"))
        for name, sound in _sounds(piece, soundfont(font)).items():
            with Writer(scratch / f"{name}.flac", RATE, 2) as writer:
                writer.write(sound)
        (scratch / "truth.json").write_text(truth)
        publish(scratch, folder)
    return folder


def publish(scratch: Path, folder: Path) -> None:
    """Gives a finished folder its name; if another run was quicker, its result stays."""
    try:
        scratch.rename(folder)
    except OSError:
        if not folder.is_dir():
            raise
        shutil.rmtree(scratch)


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def read_truth(folder: Path) -> tuple[list[InstrumentPart], list[tuple[float, int]]]:
    """The instruments of a rendered piece, and its beats in seconds with their positions in the bar from 1."""
    body = json.loads((folder / "truth.json").read_text())
    instruments = [
        InstrumentPart(one["name"], one["program"], one["is_drum"], tuple(Note(**note) for note in one["notes"]))
        for one in body["instruments"]
    ]
    return instruments, [(beat, position) for beat, position in body["beats"]]


def _sounds(piece: Piece, font: Path) -> dict[str, Sound]:
    length = round(piece.duration * RATE)
    sounds: dict[str, Sound] = {}
    for name, level in LOUDNESS.items():
        parts = [part for part in piece.parts if family(part.instrument) == name]
        if parts:
            sound = _fitted(_played(parts, font), length)
            gain = 10 ** (level / 20) / (float(np.sqrt(np.square(sound).mean())) + 1e-9)
            sounds[name] = sound * np.float32(gain)
    mix = np.sum(list(sounds.values()), axis=0)
    louder = np.float32(PEAK / max(float(np.abs(mix).max()), 1e-9))
    return {name: sound * louder for name, sound in {**sounds, "mix": mix}.items()}


def _fitted(sound: Sound, length: int) -> Sound:
    """Cut or filled up to ``length``, with a short fade at the end."""
    fitted = np.pad(sound[:length], ((0, max(length - len(sound), 0)), (0, 0)))
    fade = RATE // 4
    fitted[-fade:] *= np.linspace(1, 0, fade, dtype=np.float32)[:, None]
    return fitted


def _played(parts: Sequence[Part], font: Path) -> Sound:
    """Parts with the soundfont; (n, 2)."""
    early = [0.0 if part.instrument.is_drum else _attack(part.instrument, font) for part in parts]
    return _sound([_track(part, channel, early[channel]) for channel, part in enumerate(parts)], font)


def _attack(instrument: InstrumentPart, font: Path) -> float:
    """Seconds that a note in the middle of the instrument's part takes to be heard."""
    pitches = sorted(note.pitch for note in instrument.notes)
    note = Note(pitches[len(pitches) // 2], 0.0, 0.5, 0.75)
    alone = InstrumentPart(instrument.name, instrument.program, False, (note,))
    power = np.square(_sound([_track(Part(alone), 0, 0.0)], font)[: RATE // 2]).sum(axis=1)
    window = RATE // 100
    envelope = np.sqrt(np.convolve(power, np.ones(window) / window, "full")[: len(power)])
    heard = envelope >= envelope.max() * 10 ** (HEARD / 20)
    return max(float(np.argmax(heard)) / RATE - 0.005, 0.0)


def _sound(tracks: Sequence[mido.MidiTrack], font: Path) -> Sound:
    """Reverberation as FluidSynth has it; (n, 2)."""
    with tempfile.TemporaryDirectory() as folder:
        midi, wave = Path(folder) / "notes.mid", Path(folder) / "sound.wav"
        song = mido.MidiFile(type=1, ticks_per_beat=TICKS)
        song.tracks.extend(tracks)
        song.save(str(midi))
        command = [
            "fluidsynth",
            "-ni",
            "-q",
            "-g",
            "0.3",
            "-o",
            "synth.dynamic-sample-loading=1",
            "-r",
            str(RATE),
            "-O",
            "float",
            "-T",
            "wav",
        ]
        try:
            subprocess.run([*command, "-F", str(wave), str(font), str(midi)], check=True, capture_output=True)
        except FileNotFoundError as error:
            raise Missing("fluidsynth is missing: on Debian, apt-get install fluidsynth") from error
        return decode(wave, sample_rate=RATE, channels=2)


def _track(part: Part, channel: int, early: float) -> mido.MidiTrack:
    """At 120 beats a minute, so that a tick is 0.52 ms; everything ``early`` seconds before its time."""
    number = 9 if part.instrument.is_drum else channel
    volume = round(127 * 10 ** ((part.level - 3) / 40))
    head = [
        mido.Message("program_change", channel=number, program=part.instrument.program),
        mido.Message("control_change", channel=number, control=7, value=min(volume, 127)),
        mido.Message("control_change", channel=number, control=10, value=round(64 + 63 * part.pan)),
    ]
    timed = []
    for note in part.instrument.notes:
        tone = {"channel": number, "note": note.pitch}
        on, off = (round(max(time - early, 0.0) * 2 * TICKS) for time in (note.start, note.end))
        timed.append((on, 1, mido.Message("note_on", velocity=_velocity(note), **tone)))
        timed.append((off, 0, mido.Message("note_off", **tone)))
    track, now = mido.MidiTrack(head), 0
    for tick, _, message in sorted(timed, key=lambda entry: entry[:2]):
        track.append(message.copy(time=tick - now))
        now = tick
    return track


def _velocity(note: Note) -> int:
    return min(max(round(note.velocity * 127), 1), 127)
