"""Which callbacks tell the same outcome."""

import json
from typing import Any

import pytest

from antiphon.contract.callbacks import midi_callback, separation_callback, video_callback
from antiphon.contract.kinds import SeparationType
from antiphon.receiver.inbox.payload import read

TASK = "a" * 32
SPLIT = SeparationType.SPLIT_STEM


def digest(document: Any) -> bytes:
    return read(json.dumps(document).encode()).digest


def midi(**note: Any) -> dict[str, Any]:
    whole = {"pitch": 44, "start": 1.5, "end": 2, "velocity": 0.8} | note
    return {"taskId": TASK, "data": {"instruments": [{"name": "Drums", "notes": [whole]}]}}


def video(url: str) -> dict[str, Any]:
    return video_callback(TASK, url, None)


def stems(**urls: str | None) -> dict[str, Any]:
    return separation_callback(TASK, SPLIT, {"origin": "https://a.example/o", **urls}, None)  # type: ignore[dict-item]


SAME = [
    (midi(), midi(start="1.50", end="2.0", pitch="44")),
    (midi(), midi(end=2.0) | {"code": 200, "msg": "success", "later": [1]}),
    (midi(start=0), midi(start=-0.0)),
    (midi(), midi(confidence=0.5)),
    (midi(), {"data": {"taskId": TASK, **midi()["data"]}}),
    ({"taskId": TASK, "data": {"instruments": []}}, {"taskId": TASK, "data": {"instruments": None}}),
    (midi_callback(TASK, [], "out of memory"), midi_callback(TASK, [], "the worker died")),
    (midi_callback(TASK, [], "out of memory"), video_callback(TASK, None, "no encoder")),
    (midi_callback(TASK, [], "out of memory"), {"code": 500, "taskId": TASK, "data": None}),
    (video("https://a.example/v?token=1"), video("https://a.example/v?token=2#t")),
    (stems(vocal="https://a.example/v?a"), stems(vocal="https://a.example/v?b", drums=None)),
    (stems(vocal="https://a.example/v"), stems(vocal="https://a.example/v") | {"msg": "here you are"}),
    ({"taskId": TASK, "a": 1, "b": 2}, {"b": 2, "a": 1, "taskId": TASK}),
]
OTHER = [
    (midi(), midi(start=1.5001)),
    (midi(), midi(start="soon")),
    (midi(start="soon"), midi(start="later")),
    (midi(), midi(start=None)),
    (midi(), {"taskId": TASK, "data": {"instruments": []}}),
    (midi(), midi_callback(TASK, [], "failed")),
    (video("https://a.example/v"), video("https://a.example/w")),
    (video("https://a.example/v"), video_callback(TASK, None, "failed")),
    (stems(vocal="https://a.example/v"), stems(vocal="https://a.example/v", drums="https://a.example/d")),
    (stems(vocal="https://a.example/v"), stems(drums="https://a.example/v")),
    ({"taskId": TASK, "a": 1}, {"taskId": TASK, "a": 2}),
    ({"code": 500, "msg": "one"}, {"code": 500, "msg": "two"}),  # nobody's: nothing says that it is the same task
]


@pytest.mark.parametrize(("one", "two"), SAME)
def test_the_same_outcome_in_other_words_is_the_same(one: Any, two: Any) -> None:
    assert digest(one) == digest(two)


@pytest.mark.parametrize(("one", "two"), OTHER)
def test_another_outcome_is_another(one: Any, two: Any) -> None:
    assert digest(one) != digest(two)


def test_the_drums_notes_are_not_the_basss() -> None:
    note = {"pitch": 44, "start": 1.5, "end": 2, "velocity": 0.8}

    def split(first: int) -> Any:
        groups = [("Drums", [note] * first), ("Bass", [note] * (3 - first))]
        return {"taskId": TASK, "data": {"instruments": [{"name": name, "notes": notes} for name, notes in groups]}}

    assert digest(split(1)) != digest(split(2))
