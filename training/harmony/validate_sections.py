"""How well sections are found in the pieces kept for validation (or those of ``--split train``).

python -m training.harmony.validate_sections WORK
"""

import argparse
from pathlib import Path

import mir_eval
import numpy as np

from antiphon.music.analysis import sound_of
from antiphon.music.harmony import sections
from training.harmony.train import read as read_harmony
from training.rhythm.candidates import read


def main() -> None:
    parser = argparse.ArgumentParser(description="Score the sections.")
    parser.add_argument("work", type=Path)
    parser.add_argument("--split", default="valid")
    parser.add_argument("--most", type=int, default=80)
    asked = parser.parse_args()
    borders_f, pairs, counts = [], [], []
    for path in sorted((asked.work / asked.split).glob("*[0-9].npz"))[: asked.most]:
        piece, (known, song) = read_harmony(path), read(path)
        beats = np.array([time for time, _ in known["beats"]])
        bars = [order for order, (_, place) in enumerate(known["beats"]) if place == 1]
        found = sections(piece.borders, piece.harmony, sound_of(beats, song), bars)
        end = float(piece.borders[-1])
        true = [(time, label) for time, label in known["sections"]]
        spans = np.array(list(zip([time for time, _ in true], [*[time for time, _ in true[1:]], end], strict=True)))
        ours = np.array([(one.start, one.end) for one in found])
        labels = [one.label for one in found]
        spans, ours = spans - spans[0, 0], ours - ours[0, 0]
        borders_f.append(
            mir_eval.segment.detection(spans, ours, window=1.0, trim=True)[2]
            if len(spans) > 1 and len(ours) > 1
            else (0.0 if len(spans) > 1 else np.nan)
        )
        pairs.append(mir_eval.segment.pairwise(spans, [label for _, label in true], ours, labels)[2])
        counts.append((len(true), len(found)))
    print(f"borders within 1 s {np.nanmean(borders_f):.3f}, pairwise {np.mean(pairs):.3f}")
    print(f"sections true and found {np.mean(counts, axis=0)}")


if __name__ == "__main__":
    main()
