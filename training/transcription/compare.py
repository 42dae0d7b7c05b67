"""The exported note network beside the package's Basic Pitch path, on the validation's pieces.

    python -m training.transcription.compare WORK

prints onset F1 (``mir_eval``, 50 ms) by what is listened to and by style. Both get the onset threshold that is best for
them over all styles of a kind.
"""

import argparse
import tempfile
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import mir_eval
import numpy as np

from antiphon.music import weights
from antiphon.music.audio import Writer
from antiphon.music.progress import silent
from antiphon.music.transcription import decoding
from antiphon.music.transcription import network as basic_pitch
from antiphon.music.transcription.chords import LIMITS
from antiphon.music.transcription.levels import HOP, SAMPLE_RATE, Floats
from antiphon.music.transcription.notecreation import create
from antiphon.music.transcription.notenetwork import MODEL, NoteModel
from antiphon.music.transcription.sound import Sound
from antiphon.settings import load_settings
from training.transcription.bank import INSTRUMENTAL, OTHER, recordings
from training.transcription.validate import TOLERANCE, Case, cases

THRESHOLDS = (0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.7)
KINDS = ("stem", OTHER, INSTRUMENTAL, "mix")

Answers = Mapping[float, Floats]
"""Onsets and MIDI pitches (n, 2) by threshold."""
Contender = Callable[[Case], Answers]


def onset_f1(truth: Floats, found: Floats) -> float:
    """F1 of onsets and pitches (n, 2), each found at most once."""
    if not len(truth) or not len(found):
        return 0.0
    sides = []
    for table in (truth, found):
        start = np.maximum(table[:, :1].astype(np.float64), 0)
        sides += [np.concatenate([start, start + 0.1], axis=1), mir_eval.util.midi_to_hz(table[:, 1])]
    score = mir_eval.transcription.precision_recall_f1_overlap(*sides, onset_tolerance=TOLERANCE, offset_ratio=None)
    return float(score[2])


def _ours(path: Path) -> Contender:
    model = NoteModel(path)

    def hear(case: Case) -> Answers:
        heard = model(case.sound)
        answers = {}
        for threshold in THRESHOLDS:
            found = decoding.notes(*heard, decoding.NoteLimits(onset=threshold))
            answers[threshold] = np.array([(one.start, one.pitch) for one in found], np.float32).reshape(-1, 2)
        return answers

    return hear


def _theirs() -> Contender:
    network = basic_pitch.BasicPitch(weights.ensure(load_settings().models_folder, "basic_pitch"), threads=1)

    def hear(case: Case) -> Answers:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "sound.wav"
            with Writer(path, SAMPLE_RATE, 1, "wav") as writer:
                writer.write(np.asarray(case.sound / max(float(np.abs(case.sound).max()), 1e-3), np.float32)[:, None])
            heard = basic_pitch.listen(network, Sound((path,)), progress=silent)
        answers = {}
        for threshold in THRESHOLDS:
            found = create(heard.notes, heard.onsets, replace(LIMITS, onset=threshold))
            rows = [(one.start * HOP / SAMPLE_RATE, one.pitch) for one in found]
            answers[threshold] = np.array(rows, np.float32).reshape(-1, 2)
        return answers

    return hear


def scores(contender: Contender, found: Sequence[Case]) -> Mapping[str, Sequence[Mapping[float, float]]]:
    """F1 by threshold of each case, in order, by kind."""
    result: dict[str, list[Mapping[float, float]]] = defaultdict(list)
    for case in found:
        result[case.kind].append(
            {threshold: onset_f1(case.notes, answer) for threshold, answer in contender(case).items()}
        )
    return result


def _printed(found: Sequence[Case], sides: Mapping[str, Mapping[str, Sequence[Mapping[float, float]]]]) -> None:
    for kind in KINDS:
        styles = [case.style for case in found if case.kind == kind]
        if not styles:
            continue
        columns = {}
        for name, by_kind in sides.items():
            rows = by_kind[kind]
            means = {threshold: np.mean([row[threshold] for row in rows]) for threshold in THRESHOLDS}
            top = max(means, key=means.__getitem__)
            columns[f"{name} at {top}"] = [row[top] for row in rows]
        print(f"\n{kind}: {', '.join(columns)}")
        for style in ("all", *sorted(set(styles))):
            chosen = [place for place, one in enumerate(styles) if style in ("all", one)]
            cells = ", ".join(f"{np.mean([column[place] for place in chosen]):.3f}" for column in columns.values())
            print(f"{style:>16} ({len(chosen):2}): {cells}")


def main() -> None:
    parser = argparse.ArgumentParser(description="Compare the note network with Basic Pitch.")
    parser.add_argument("work", type=Path)
    parser.add_argument("--model", type=Path, default=MODEL)
    parser.add_argument("--pieces", type=int, default=40)
    parser.add_argument("--seconds", type=float, default=30.0)
    arguments = parser.parse_args()
    chosen = list(recordings(arguments.work / "valid", set()))[: arguments.pieces]
    found = [
        case
        for one in chosen
        for case in cases(one, max((one.seconds - arguments.seconds) / 2, 0.0), arguments.seconds)
        if case.kind in KINDS
    ]
    _printed(found, {"ours": scores(_ours(arguments.model), found), "Basic Pitch": scores(_theirs(), found)})


if __name__ == "__main__":
    main()
