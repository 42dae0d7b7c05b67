"""How well the stems match the true ones: signal-to-distortion ratio on the evaluation songs.

SDR is 10·log10(|s|² / |s − ŝ|²) over the whole song and both channels, as in the Music Demixing Challenge 2021
(Mitsufuji et al.); a figure is the median over the songs that have the stem. ``snr_sum`` says how exactly the stems
add up to the mix.
"""

import argparse
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np
from numpy.typing import NDArray

from antiphon.music.audio import decode
from antiphon.music.separation import SAMPLE_RATE, separate
from antiphon.settings import load_settings
from bench import results

TRUE_STEMS = {"vocal": "vocals", "drums": "drums", "bass": "bass", "other": "other"}
DATA = Path("../shared/data")


def sdr(true: NDArray[np.float32], estimate: NDArray[np.float32]) -> float:
    """In dB; both arrays (n, channels) of one length."""
    signal = float(np.sum(true.astype(np.float64) ** 2))
    distortion = float(np.sum((true.astype(np.float64) - estimate) ** 2))
    return float(10 * np.log10((signal + 1e-9) / (distortion + 1e-9)))


def read(path: Path) -> NDArray[np.float32]:
    return decode(path, sample_rate=SAMPLE_RATE, channels=2)


def song_row(song: Path, models: Path, threads: int) -> dict[str, results.Figure]:
    """One song's SDR by stem; a stem that the song does not have is an empty cell."""
    mix = read(song / "mix.flac")
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        out = Path(folder)
        done = separate(song / "mix.flac", out, kind="split_stem", models=models, threads=threads)
        seconds = time.perf_counter() - start
        estimates = {name: read(path) / 10 ** (done.gain_db / 20) for name, path in done.stems.items()}
    row: dict[str, results.Figure] = {"song": song.name}
    for name, true_name in TRUE_STEMS.items():
        true = song / f"{true_name}.flac"
        row[name] = sdr(read(true), estimates.get(name, np.zeros_like(mix))) if true.exists() else ""
    row["snr_sum"] = sdr(mix, np.sum(list(estimates.values()), axis=0))
    row["rtf"] = len(mix) / SAMPLE_RATE / seconds
    return row


def main() -> None:
    parser = argparse.ArgumentParser(description="Evaluate the separation on songs with known stems.")
    parser.add_argument("data", type=Path, nargs="?", default=DATA, help="folder that holds mdb/<song>/")
    parser.add_argument("--models", type=Path, default=load_settings().models_folder)
    parser.add_argument("--threads", type=int, default=results.cores())
    arguments = parser.parse_args()
    songs = sorted(path.parent for path in arguments.data.glob("mdb/*/mix.flac"))
    if not songs:
        parser.error(f"no songs under {arguments.data}/mdb: give the folder of the evaluation data")
    rows = [song_row(song, arguments.models, arguments.threads) for song in songs]
    figures: dict[str, results.Figure] = {"songs": len(rows)}
    for stem, true_name in TRUE_STEMS.items():
        figures[f"sdr_{true_name}"] = round(median([x for row in rows if isinstance(x := row[stem], float)]), 2)
    figures["snr_sum"] = round(min(float(row["snr_sum"]) for row in rows), 1)
    results.table([*rows, _medians(figures)])
    results.write("eval-separation", figures, "make eval-separation")


def _medians(figures: dict[str, results.Figure]) -> dict[str, results.Figure]:
    stems = {stem: figures[f"sdr_{true_name}"] for stem, true_name in TRUE_STEMS.items()}
    return {"song": "median", **stems, "snr_sum": figures["snr_sum"], "rtf": ""}


if __name__ == "__main__":
    main()
