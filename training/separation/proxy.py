"""What decides whether a network is better than the filters: whole signals, through the engine's own path.

    python -m training.separation.proxy WORK --pieces FOLDER --model model.onnx

Signal-to-distortion ratios, medians over mixes that no training saw: of the validation's pieces, played by soundfonts
and kits of their own and mixed in the hardest manner, and of the demo's song, whose instruments and singers are
synthesised by other programs than the training's. Never the evaluation data.
"""

import argparse
from collections.abc import Iterable, Mapping
from pathlib import Path

import compose
import numpy as np
import synthesis

from antiphon.music import weights
from antiphon.music.separation.rhythm import split_rhythm
from antiphon.music.separation.vocals import VocalMask, split_vocals
from antiphon.settings import load_settings
from training.separation import remix
from training.separation.components import GRID, SAMPLE_RATE, STEMS, Floats
from training.separation.pieces import Pool
from training.separation.stems import StemNetwork, split_stems

LENGTH = 960 * GRID.hop
HEARD = 3e-3
"""Share of the mix's energy from which a stem counts as there."""
DEMO_STEMS = {
    "Voice Oohs": "vocals",
    "Choir Aahs": "vocals",
    "Electric Bass (finger)": "bass",
    "Drums": "drums",
}

Stems = Mapping[str, Floats]


def filtered(mix: Floats, vocals: VocalMask) -> dict[str, Floats]:
    """The stems as the package makes them without a network."""
    return _joined(split_rhythm(split_vocals(iter([mix]), vocals)))


def by_network(mix: Floats, vocals: VocalMask, network: StemNetwork) -> dict[str, Floats]:
    """The stems as an engine would make them with ``network``."""
    return _joined(split_stems(iter([mix]), vocals, network))


def _joined(pieces: Iterable[tuple[Floats, Floats, Floats, Floats]]) -> dict[str, Floats]:
    whole, voice, drums, bass = (np.concatenate(parts) for parts in zip(*pieces, strict=True))
    return {"drums": drums, "bass": bass, "other": whole - voice - drums - bass, "vocals": voice}


def ratios(true: Stems, estimated: Stems) -> dict[str, float]:
    """By stem in dB; ``no_<stem>`` where there is none of it: the wrong stem's energy relative to the mix."""
    mix = float(np.sum(np.square(sum(true.values()), dtype=np.float64)))
    found = {}
    for name in STEMS:
        energy = float(np.sum(np.square(true[name], dtype=np.float64)))
        wrong = float(np.sum(np.square(true[name] - estimated[name], dtype=np.float64)))
        if energy > HEARD * mix:
            found[name] = 10 * float(np.log10(energy / wrong))
        else:
            found[f"no_{name}"] = 10 * float(np.log10(wrong / mix + 1e-9))
    return found


def demo_song() -> Iterable[Stems]:
    """The demo's song before its mastering, in stems; as it is, and in mono."""
    parts = compose.song()
    length = round(max(e.start + e.seconds for part in parts for e in part.events) * SAMPLE_RATE) + SAMPLE_RATE
    stems = {name: np.zeros((length, 2)) for name in STEMS}
    for part in parts:
        dry, hall = np.zeros((length, 2)), np.zeros((length, 2))
        for track, strip in synthesis.render(part, length):
            placed = synthesis._placed(track, strip)
            dry += placed
            hall += strip.hall * placed
        stems[DEMO_STEMS.get(part.name, "other")] += dry + synthesis._reverberated(hall)
    scale = 0.8 / np.abs(sum(stems.values())).max()
    stereo = {name: (sound * scale).astype(np.float32) for name, sound in stems.items()}
    yield stereo
    yield {name: np.repeat(sound.mean(axis=1, keepdims=True), 2, axis=1) for name, sound in stereo.items()}


def mixes(folder: Path, count: int) -> Iterable[Stems]:
    """``count`` mixes of the validation's pieces."""
    rng = np.random.default_rng(11)
    pool = Pool(folder, 6, rng)
    for number in range(count):
        if number % 3 == 0:
            pool.turn()
        yield remix.remix(rng, pool, LENGTH, remix.HARD)


def table(scenes: Iterable[Stems], vocals: VocalMask, network: StemNetwork) -> None:
    rows: dict[str, list[dict[str, float]]] = {}
    for true in scenes:
        mix = np.asarray(sum(true.values()), np.float32)
        if not mix.any():
            continue
        rows.setdefault("filters", []).append(ratios(true, filtered(mix, vocals)))
        rows.setdefault("network", []).append(ratios(true, by_network(mix, vocals, network)))
    for name, found in rows.items():
        keys = sorted({key for row in found for key in row})
        medians = {key: round(float(np.median([row[key] for row in found if key in row])), 2) for key in keys}
        print(f"  {name:12} {medians}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="Compare the separation network with the filters.")
    parser.add_argument("work", type=Path)
    parser.add_argument("--pieces", type=Path, required=True, help="folder that holds valid/<piece>")
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--count", type=int, default=30)
    parser.add_argument("--models", type=Path, default=load_settings().models_folder)
    arguments = parser.parse_args()
    vocals = VocalMask(weights.ensure(arguments.models, "spleeter"), 1)
    network = StemNetwork(arguments.model)
    print("the demo's song")
    table(demo_song(), vocals, network)
    print(f"{arguments.count} mixes of the validation's pieces")
    table(mixes(arguments.pieces / "valid", arguments.count), vocals, network)


if __name__ == "__main__":
    main()
