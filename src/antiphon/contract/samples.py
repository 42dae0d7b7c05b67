"""Sample callbacks, for trying a receiver out: what each kind of task announces when it succeeds and when it fails.

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


@dataclass(frozen=True)
class Sample:
    """A body to be posted. Its ids are new each time: a receiver that has seen one takes it for a repeat."""

    kind: Kind
    failed: bool
    task_id: str
    webhook_id: str
    body: bytes


def samples(kinds: Collection[Kind] = KINDS) -> list[Sample]:
    """A success and a failure of each of ``kinds``, in the order of ``KINDS``."""
    return [_sample(kind, failed) for kind in KINDS if kind in kinds for failed in (False, True)]


def _sample(kind: Kind, failed: bool) -> Sample:
    task_id = TASK_PREFIX + secrets.token_hex(4)
    body = json.dumps(_body(kind, task_id, REASON if failed else None), separators=(",", ":")).encode()
    return Sample(kind, failed, task_id, WEBHOOK_PREFIX + secrets.token_hex(16), body)


def _body(kind: Kind, task_id: str, error: str | None) -> dict[str, Any]:
    if kind is Kind.MIDI:
        return midi_callback(task_id, None if error else _INSTRUMENTS, error)
    if kind is Kind.VIDEO:
        return video_callback(task_id, f"{_LINKS}video.mp4", error, thumbnail=f"{_LINKS}thumbnail.jpg")
    separation = SeparationType.SEPARATE_VOCAL
    urls = {name: f"{_LINKS}{name}.flac" for name in ("origin", *STEMS[separation])}
    return separation_callback(task_id, separation, urls, error)
