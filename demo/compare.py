"""How much of the demo song a transcription found: ``python demo/compare.py RESULT``.

RESULT is a Standard MIDI File, or JSON that holds ``instruments`` (a callback, a record's ``midiData``, or that list
itself). Printed are precision, recall and F1 of onsets: a found note is right when a true note of the same
pitch starts within 50 ms, and each note is used once (Raffel et al. 2014, mir_eval's note onsets).
"""

import json
import sys
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mido

TOLERANCE = 0.05  # seconds
TRUTH = Path(__file__).parent / "song.mid"
DRUMS = "Drums"
DRUM_CLASSES = {
    "kick": {35, 36},
    "snare": {37, 38, 39, 40},
    "hi-hat": {42, 44, 46},
    "cymbal": {49, 51, 52, 53, 55, 57, 59},
    "tom": {41, 43, 45, 47, 48, 50},
}

Onset = tuple[int, float]
"""A key and the second at which it starts. The key is a MIDI pitch, or a drum class's number."""


@dataclass(frozen=True, slots=True)
class Score:
    name: str
    true: int
    found: int
    matched: int

    @property
    def precision(self) -> float:
        return self.matched / self.found if self.found else 0.0

    @property
    def recall(self) -> float:
        return self.matched / self.true if self.true else 0.0

    @property
    def f1(self) -> float:
        return 2 * self.matched / (self.true + self.found) if self.true + self.found else 0.0


def read(path: Path) -> dict[str, list[Onset]]:
    """Onsets by instrument; all drums under ``Drums``. Raises ValueError for a file that is neither kind."""
    data = path.read_bytes()
    if data[:4] == b"MThd":
        return _read_midi(path)
    try:
        return _read_json(json.loads(data))
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path}: neither a MIDI file nor JSON with instruments ({error})") from error


def _read_midi(path: Path) -> dict[str, list[Onset]]:
    onsets: dict[str, list[Onset]] = defaultdict(list)
    song = mido.MidiFile(str(path))
    names: dict[int, str] = {}
    for track in song.tracks:
        channel = next((m.channel for m in track if m.type == "note_on"), None)
        if channel is not None:
            names[channel] = DRUMS if channel == 9 else track.name or f"channel {channel + 1}"
    now = 0.0
    for message in song:
        now += message.time
        if message.type == "note_on" and message.velocity > 0:
            onsets[names[message.channel]].append((message.note, now))
    return dict(onsets)


def _read_json(body: Any) -> dict[str, list[Onset]]:
    for key in ("data", "midiData"):
        if isinstance(body, dict) and key in body:
            body = body[key]
    instruments = body["instruments"] if isinstance(body, dict) else body
    onsets: dict[str, list[Onset]] = defaultdict(list)
    for instrument in instruments:
        notes = [(int(note["pitch"]), float(note["start"])) for note in instrument["notes"]]
        onsets[str(instrument["name"])].extend(notes)
    return dict(onsets)


def matched(true: Iterable[Onset], found: Iterable[Onset]) -> list[bool]:
    """For each true onset in order of (key, time), whether a found one answers it. Taking the earliest free one
    in reach of each true onset, in the order of time, matches as many as can be matched."""
    waiting: dict[int, list[float]] = defaultdict(list)
    for key, start in sorted(found):
        waiting[key].append(start)
    answers = []
    for key, start in sorted(true):
        queue = waiting[key]
        while queue and queue[0] < start - TOLERANCE:
            queue.pop(0)
        hit = bool(queue) and queue[0] <= start + TOLERANCE
        if hit:
            queue.pop(0)
        answers.append(hit)
    return answers


def score(name: str, true: list[Onset], found: list[Onset]) -> Score:
    return Score(name, len(true), len(found), sum(matched(true, found)))


def compare(true: dict[str, list[Onset]], found: dict[str, list[Onset]]) -> list[Score]:
    """First all pitched notes, then each true instrument: against the found one of the same name when there is
    one, else against every pitched note found, where only recall says something. Then the drums."""
    everything = _pitched(found)
    scores = [score("all pitched notes", _pitched(true), everything)]
    for name, onsets in true.items():
        if name != DRUMS:
            own = found.get(name)
            scores.append(score(name if own else f"{name} (in any)", onsets, own if own else everything))
    true_hits, found_hits = _classed(true.get(DRUMS, [])), _classed(found.get(DRUMS, []))
    scores.append(score("all drums", true_hits, found_hits))
    for number, name in enumerate(DRUM_CLASSES):
        pair = [[hit for hit in hits if hit[0] == number] for hits in (true_hits, found_hits)]
        scores.append(score(f"drums: {name}", pair[0], pair[1]))
    return scores


def _pitched(instruments: dict[str, list[Onset]]) -> list[Onset]:
    """Unisons of several instruments count once, for a listener hears one note."""
    merged: list[Onset] = []
    for key, start in sorted(onset for name, notes in instruments.items() if name != DRUMS for onset in notes):
        if not (merged and merged[-1][0] == key and start - merged[-1][1] < TOLERANCE):
            merged.append((key, start))
    return merged


def _classed(hits: list[Onset]) -> list[Onset]:
    return [(i, t) for pitch, t in hits for i, keys in enumerate(DRUM_CLASSES.values()) if pitch in keys]


def main() -> int:
    if len(sys.argv) != 2:
        print(f"usage: {sys.argv[0]} song.mid|midi.json", file=sys.stderr)
        return 2
    try:
        scores = compare(read(TRUTH), read(Path(sys.argv[1])))
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{'':34}{'true':>6}{'found':>7}{'matched':>9}{'precision':>11}{'recall':>8}{'F1':>7}")
    for line in scores:
        counts = f"{line.true:6}{line.found:7}{line.matched:9}"
        print(f"{line.name:34}{counts}{line.precision:11.3f}{line.recall:8.3f}{line.f1:7.3f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
