"""From notes to a mix: every part rendered, placed, reverberated, compressed and encoded."""

import zlib
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from instruments import DRUMS, RATE, Samples, bass, electric_piano, guitar, pad, vibraphone
from score import DRUM_CHANNEL, Part
from voice import Syllable, sing

NOTES = {
    "Vibraphone": vibraphone,
    "Electric Piano 1": electric_piano,
    "Acoustic Guitar (steel)": guitar,
    "Electric Bass (finger)": bass,
    "Pad 2 (warm)": pad,
}


@dataclass(frozen=True, slots=True)
class Strip:
    """A channel of the mixing desk: level, place from -1 (left) to 1, and how much goes to the hall."""

    level: float
    place: float
    hall: float


DESK = {
    "Voice Oohs": Strip(0.5, 0.0, 0.17),
    "Choir Aahs": Strip(0.24, 0.0, 0.3),
    "Vibraphone": Strip(0.4, 0.35, 0.25),
    "Electric Piano 1": Strip(0.24, -0.35, 0.12),
    "Acoustic Guitar (steel)": Strip(0.42, 0.45, 0.1),
    "Electric Bass (finger)": Strip(0.36, 0.0, 0.0),
    "Pad 2 (warm)": Strip(0.13, 0.0, 0.25),
}
DRUM_DESK = {
    36: Strip(0.66, 0.0, 0.02),
    38: Strip(0.6, 0.05, 0.12),
    42: Strip(0.34, 0.3, 0.03),
    46: Strip(0.3, 0.3, 0.05),
    49: Strip(0.42, -0.35, 0.12),
    45: Strip(0.5, -0.35, 0.12),
    47: Strip(0.45, 0.0, 0.12),
    50: Strip(0.42, 0.3, 0.12),
}
LOUDNESS = -16.0  # dBFS RMS of the finished mix
CEILING = 0.89  # -1 dBFS, for a lossy codec overshoots


def mix(parts: list[Part], seconds: float) -> Samples:
    """The whole song: (samples, 2) at 44.1 kHz, within -1 to 1."""
    length = int(seconds * RATE)
    dry, hall = np.zeros((length, 2)), np.zeros((length, 2))
    for part in parts:
        for track, strip in render(part, length):
            placed = _placed(track, strip)
            dry += placed
            hall += strip.hall * placed
    out = _limited(_compressed(dry + _reverberated(hall)))
    count = int(1.5 * RATE)
    out[-count:] *= (0.5 + 0.5 * np.cos(np.pi * np.arange(count) / count))[:, None]
    return out


def render(part: Part, length: int) -> list[tuple[Samples, Strip]]:
    """A part's tracks before the hall, mono or stereo, each with its strip."""
    random = np.random.default_rng(zlib.crc32(part.name.encode()))
    if part.channel == DRUM_CHANNEL:
        kit = {pitch: np.zeros(length) for pitch in DRUM_DESK}
        for event in part.events:
            _add(kit[event.pitch], DRUMS[event.pitch](event.velocity / 127, random), event.start)
        return [(track, DRUM_DESK[pitch]) for pitch, track in kit.items()]
    strip = DESK[part.name]
    if part.name in ("Voice Oohs", "Choir Aahs"):
        return [(_sung(part, length), strip)]
    track = np.zeros(length)
    for event in part.events:
        _add(track, NOTES[part.name](event.pitch, event.seconds, event.velocity / 127, random), event.start)
    if part.name == "Pad 2 (warm)":
        return [(np.stack([track, np.roll(track, 617)], axis=1), strip)]
    return [(track, strip)]


def _sung(part: Part, length: int) -> Samples:
    syllables = [Syllable(e.start, e.start + e.seconds, e.pitch, e.velocity / 127, e.phones) for e in part.events]
    if part.name == "Voice Oohs":
        return sing(syllables, length, seed=11)
    left = sing(syllables, length, seed=12, tract_scale=1.05)
    right = sing(syllables, length, seed=13, tract_scale=0.96)
    return np.stack([left + 0.35 * right, right + 0.35 * left], axis=1)


def _add(track: Samples, tone: Samples, start: float) -> None:
    begin = round(start * RATE)
    end = min(len(track), begin + len(tone))
    track[begin:end] += tone[: end - begin]


def _placed(track: Samples, strip: Strip) -> Samples:
    """Constant power."""
    if track.ndim == 2:
        return np.asarray(track * strip.level)
    angle = (strip.place + 1) * np.pi / 4
    sides = np.array([np.cos(angle), np.sin(angle)]) * 2**0.5
    return np.asarray(track[:, None] * strip.level * sides)


def _reverberated(send: Samples) -> Samples:
    """A hall made of noise that dies away, high notes first, 18 ms after the sound (Moorer 1979)."""
    random = np.random.default_rng(99)
    t = np.arange(int(1.9 * RATE)) / RATE
    out = np.zeros_like(send)
    size = 1 << (len(send) + len(t) + RATE).bit_length()
    frequency = np.fft.rfftfreq(len(t), 1 / RATE)
    for channel in (0, 1):
        echo = np.zeros(len(t))
        for low, high, lasts in ((150, 700, 1.7), (700, 2500, 1.4), (2500, 6000, 0.9), (6000, 12_000, 0.5)):
            white = np.fft.rfft(random.normal(size=len(t)))
            kept = np.fft.irfft(white * ((frequency >= low) & (frequency < high)), len(t))
            echo += kept * np.exp(-6.9 * t / lasts)
        echo = np.concatenate([np.zeros(int(0.018 * RATE)), echo / np.sqrt((echo**2).sum())])
        wet = np.fft.irfft(np.fft.rfft(send[:, channel], size) * np.fft.rfft(echo, size), size)
        out[:, channel] = wet[: len(send)]
    return out * 1.6


def _compressed(song: Samples) -> Samples:
    """A gentle bus compressor: 2:1 above -14 dB, 15 ms attack, 180 ms release; then up to ``LOUDNESS``."""
    song = _levelled(song)
    hop = 64
    blocks = -(-len(song) // hop)
    padded = np.pad((song**2).max(axis=1), (0, blocks * hop - len(song)))
    power = padded.reshape(blocks, hop).max(axis=1)
    rise, fall = np.exp(-hop / RATE / 0.015), np.exp(-hop / RATE / 0.18)
    level, follow = 0.0, np.zeros(blocks)
    for i, now in enumerate(np.sqrt(power)):
        keep = rise if now > level else fall
        level = keep * level + (1 - keep) * now
        follow[i] = level
    above = np.maximum(0, 20 * np.log10(follow + 1e-9) + 14)
    gain = 10 ** (-above / 2 / 20)
    return _levelled(song * np.interp(np.arange(len(song)), np.arange(blocks) * hop, gain)[:, None])


def _levelled(song: Samples) -> Samples:
    return song * float(10 ** (LOUDNESS / 20) / np.sqrt(np.mean(song**2)))


def _limited(song: Samples) -> Samples:
    """Looks 3 ms ahead: the gain is down before the peak comes, and moves smoothly."""
    reach = int(0.003 * RATE)
    need = np.minimum(1, CEILING / np.maximum(1e-9, np.abs(song).max(axis=1)))
    padded = np.pad(need, reach, constant_values=1)
    lowest = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1).min(axis=1)
    window = np.hanning(2 * reach + 3)[1:-1]
    gain = np.convolve(np.pad(lowest, reach, mode="edge"), window / window.sum(), mode="valid")
    return np.clip(song * gain[:, None], -CEILING, CEILING)


def save_mp3(song: Samples, path: Path, *, title: str, artist: str, notice: str, bit_rate: int = 192_000) -> None:
    """The encoder's delay goes into the file's header, so that decoders which honour it (FFmpeg, browsers)
    start at the first sample: the audio's zero is the MIDI file's zero."""
    pcm = np.round(song * 32_767).astype(np.int16)
    with av.open(str(path), "w", format="mp3") as container:
        container.metadata.update({"title": title, "artist": artist, "copyright": notice})
        stream = container.add_stream("libmp3lame", rate=RATE, layout="stereo")
        stream.bit_rate = bit_rate
        frame = av.AudioFrame.from_ndarray(pcm.reshape(1, -1), format="s16", layout="stereo")
        frame.sample_rate = RATE
        resampler = av.AudioResampler(stream.format, "stereo", RATE, frame_size=stream.frame_size or 1152)
        for piece in [*resampler.resample(frame), *resampler.resample(None)]:
            container.mux(stream.encode(piece))
        container.mux(stream.encode(None))
