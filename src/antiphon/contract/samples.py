"""Sample callbacks to try a receiver out with: of each kind of task, a success and a failure.

A sample's task id begins with 24 zeros, its ``webhook-id`` with ``msg_test_``, and its links lead to example.com.
"""

import json
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from antiphon.contract.callbacks import midi_callback, separation_callback, video_callback
from antiphon.contract.kinds import STEMS, Kind, SeparationType

KINDS = (Kind.SEPARATION, Kind.MIDI, Kind.VIDEO)
TASK_PREFIX = "0" * 24
WEBHOOK_PREFIX = "msg_test_"
REASON = "this is a sample: it shows what the callback of a failed task looks like, and no task has failed"
_LINKS = "https://example.com/sample/"
_INSTRUMENTS = [
    {
        "name": "Electric Bass (finger)",
        "notes": [{"pitch": 44, "start": 7.6875, "end": 7.9115, "velocity": 0.8}],
    },
    {"name": "Drums", "notes": [{"pitch": 36, "start": 7.6875, "end": 7.7375, "velocity": 0.9}]},
]


_LARGE_NOTE_COUNT = 5_500  # some 320 KB


def _note(at: int) -> dict[str, Any]:
    return {"pitch": 60 + at % 12, "start": round(at / 25, 4), "end": round(at / 25 + 0.04, 4), "velocity": 0.5}


_LARGE = [{"name": "Acoustic Grand Piano", "notes": [_note(at) for at in range(_LARGE_NOTE_COUNT)]}]


@dataclass(frozen=True)
class Sample:
    """A body to be posted. Its ids are new each time: a receiver that has seen one takes it for a repeat."""

    kind: Kind
    failed: bool
    large: bool
    task_id: str
    webhook_id: str
    body: bytes


def samples(kinds: Collection[Kind] = KINDS) -> list[Sample]:
    """Sample callbacks of each of ``kinds``, a success and a failure, in the order of ``KINDS``.

    Of MIDI there is also a large success, as a song of three minutes has it: many receivers stop at 100 KB.
    """
    found = [_sample(kind, failed) for kind in KINDS if kind in kinds for failed in (False, True)]
    return [*found, _sample(Kind.MIDI, failed=False, large=True)] if Kind.MIDI in kinds else found


def _sample(kind: Kind, failed: bool, large: bool = False) -> Sample:
    task_id = TASK_PREFIX + secrets.token_hex(4)
    body = json.dumps(_body(kind, task_id, REASON if failed else None, large), separators=(",", ":")).encode()
    return Sample(kind, failed, large, task_id, WEBHOOK_PREFIX + secrets.token_hex(16), body)


def _body(kind: Kind, task_id: str, error: str | None, large: bool) -> dict[str, Any]:
    if kind is Kind.MIDI:
        return midi_callback(task_id, None if error else _LARGE if large else _INSTRUMENTS, error)
    if kind is Kind.VIDEO:
        return video_callback(task_id, f"{_LINKS}video.mp4", error, thumbnail=f"{_LINKS}thumbnail.jpg")
    separation = SeparationType.SEPARATE_VOCAL
    urls = {name: f"{_LINKS}{name}.flac" for name in ("origin", *STEMS[separation])}
    return separation_callback(task_id, separation, urls, error)
