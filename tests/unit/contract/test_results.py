"""What is read of callbacks, ours and those of others, whole or damaged."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.paths import GOLDENS

from antiphon.contract.results import (
    FailedResult,
    Instrument,
    MidiResult,
    SeparationResult,
    UnknownResult,
    VideoResult,
    kind_of,
    read_result,
)
from antiphon.errors import BadParameter
from antiphon.score.notes import Note

NOTE = {"pitch": 44, "start": 7.6875, "end": 7.9115, "velocity": 0.8}
READ = Note(44, 7.6875, 7.9115, 0.8)
LINK = "https://example.com/files/a?token=b"


def midi(*notes: object, **data: object) -> dict[str, Any]:
    instruments = [{"name": "Drums", "notes": list(notes)}]
    return {"code": 200, "msg": "success", "taskId": "a", "data": {"instruments": instruments, **data}}


def read_midi(document: object) -> MidiResult:
    result = read_result(document)
    assert isinstance(result, MidiResult)
    return result


@pytest.mark.parametrize(
    "document",
    [
        {"code": 200, "taskId": "a", "data": {"instruments": [{"name": "Drums", "notes": [NOTE]}]}},
        {
            "code": 200,
            "data": {"task_id": "a", "state": "complete", "instruments": [{"name": "Drums", "notes": [NOTE]}]},
        },
        {"task_id": "a", "instruments": [{"name": "Drums", "notes": [NOTE]}]},
        {"code": "200", "data": {"taskId": "a", "instruments": [{"name": " Drums ", "notes": [NOTE]}]}},
    ],
)
def test_midi_is_found_wherever_the_sender_put_it(document: dict[str, Any]) -> None:
    assert read_result(document) == MidiResult("a", (Instrument("Drums", (READ,)),), (), document)


@pytest.mark.parametrize(
    "written",
    [
        {"start": "7.6875", "end": "7.9115"},
        {"start": " 7.6875", "end": "79115e-4", "velocity": "0.8", "pitch": "44"},
        {"pitch": 44.0},
        {"start": "+7.6875"},
    ],
)
def test_numbers_may_be_texts(written: dict[str, object]) -> None:
    result = read_midi(midi({**NOTE, **written}))
    assert (result.instruments[0].notes, result.problems) == ((READ,), ())


def test_whole_numbers_are_seconds_too_and_a_note_may_have_no_length() -> None:
    result = read_midi(midi({"pitch": 0, "start": 0, "end": 0, "velocity": 1}))
    assert result.instruments[0].notes == (Note(0, 0.0, 0.0, 1.0),)


MALFORMED = [
    ({"pitch": 128}, "pitch is 128; expected a whole number from 0 to 127"),
    ({"pitch": -1}, "pitch is -1"),
    ({"pitch": 60.5}, "pitch is 60.5"),
    ({"pitch": True}, "pitch is true"),
    ({"pitch": None}, "pitch is null"),
    ({"start": -0.1}, "start is -0.1; expected seconds from 0 to 86400"),
    ({"start": math.nan}, "start is nan"),
    ({"start": "nan"}, "start is 'nan'"),
    ({"start": "1_000"}, "start is '1_000'"),
    ({"start": "7,5"}, "start is '7,5'"),
    ({"start": "\ud800"}, r"start is '\ud800'"),
    ({"start": "1" * 1000}, "start is '" + "1" * 40 + "'…"),
    ({"start": 10**400}, "start is a huge number"),
    ({"start": [1]}, "start is an array"),
    ({"end": math.inf}, "end is inf"),
    ({"end": 1e9}, "end is 1000000000.0"),
    ({"end": 7.5}, "end is 7.5; expected seconds from start, 7.6875, to 86400"),
    ({"velocity": 1.01}, "velocity is 1.01; expected a number from 0 to 1"),
    ({"velocity": {}}, "velocity is an object"),
]


@pytest.mark.parametrize(("wrong", "said"), MALFORMED, ids=[said.partition(";")[0] for _, said in MALFORMED])
def test_a_malformed_note_is_left_out_and_named(wrong: dict[str, object], said: str) -> None:
    result = read_midi(midi(NOTE, {**NOTE, **wrong}, NOTE))
    assert result.instruments[0].notes == (READ, READ)
    (problem,) = result.problems
    assert problem.startswith(f"instruments[0].notes[1].{said}")
    assert problem.isascii() or "…" in problem


@pytest.mark.parametrize(
    ("note", "said"), [("x", "notes[0] is 'x'"), (None, "notes[0] is null"), ({}, "notes[0].pitch is missing")]
)
def test_what_is_no_note_at_all_is_left_out_and_named(note: object, said: str) -> None:
    assert said in read_midi(midi(note, NOTE)).problems[0]


@pytest.mark.parametrize(
    ("instruments", "said"),
    [
        (None, ["instruments is null; expected an array"]),
        ({}, ["instruments is an object; expected an array"]),
        ([], []),
        ([5], ["instruments[0] is 5; expected an object with name and notes"]),
        (
            [{}],
            [
                "instruments[0].name is missing; expected the name of an instrument",
                "instruments[0].notes is missing; expected an array",
            ],
        ),
        ([{"name": "Flute", "notes": None}], ["instruments[0].notes is null; expected an array"]),
    ],
)
def test_missing_or_empty_instruments_are_no_notes(instruments: object, said: list[str]) -> None:
    result = read_midi({"code": 200, "taskId": "a", "data": {"state": "complete", "instruments": instruments}})
    assert sum(len(instrument.notes) for instrument in result.instruments) == 0
    assert list(result.problems) == said


def test_midi_without_its_instruments_is_known_by_its_state() -> None:
    result = read_midi({"code": 200, "taskId": "a", "data": {"state": "complete"}})
    assert (result.instruments, result.problems) == ((), ("instruments is missing; expected an array",))


def test_a_million_problems_are_twenty_lines_and_a_count() -> None:
    problems = read_midi(midi(*[None] * 100_000)).problems
    assert len(problems) == 21
    assert problems[-1] == "and 99980 more like these"


def test_an_instrument_without_a_name_keeps_its_notes() -> None:
    result = read_midi({"data": {"instruments": [{"name": 5, "notes": [NOTE]}]}})
    assert result.instruments == (Instrument("", (READ,)),)


def test_two_task_ids_that_differ_are_a_problem_and_the_one_at_the_top_counts() -> None:
    result = read_midi({**midi(NOTE), "data": {"instruments": [], "taskId": "b"}})
    assert result.task_id == "a"
    assert result.problems == ("taskId is 'b'; expected the task id that stands before it, 'a'",)


@pytest.mark.parametrize(
    "document", [{"data": {"task_id": "a", "video_url": LINK}}, {"taskId": "a", "video_url": LINK}]
)
def test_a_video_is_its_link(document: dict[str, Any]) -> None:
    assert read_result(document) == VideoResult("a", LINK, (), document)


@pytest.mark.parametrize(("given", "read"), [(LINK, LINK), (None, None), ("ftp://x/y", None), (5, None)])
def test_a_video_may_have_a_thumbnail(given: object, read: str | None) -> None:
    result = read_result({"data": {"task_id": "a", "video_url": LINK, "thumbnail_url": given}})
    assert isinstance(result, VideoResult)
    assert (result.video_url, result.thumbnail_url) == (LINK, read)


def test_a_separation_is_the_links_of_the_stems_that_were_made() -> None:
    info = {
        **{"origin_url": LINK, "vocal_url": LINK, "backing_vocals_url": None, "drums_url": "", "theremin_url": LINK},
        **{"bass_url": 5, "other_url": "ftp://example.com", "_url": LINK, "comment": "x"},
    }
    document = {"code": 200, "data": {"task_id": "a", "vocal_removal_info": info}}
    assert read_result(document) == SeparationResult(
        "a",
        {"vocal": LINK, "theremin": LINK},
        LINK,
        (
            "bass_url is 5; expected an http or https link",
            "other_url is 'ftp://example.com'; expected an http or https link",
        ),
        document,
    )


def test_a_million_stems_are_sixty_four() -> None:
    info = {f"stem{number}_url": LINK for number in range(1000)}
    result = read_result({"data": {"vocal_removal_info": info}})
    assert isinstance(result, SeparationResult)
    assert len(result.stems) <= 65


FAILURES: list[tuple[dict[str, Any], str, int | None, str]] = [
    ({"code": 500, "msg": "too long", "data": {"instruments": []}}, "midi", 500, "too long"),
    ({"code": "500", "msg": "too long", "data": {"video_url": None}}, "video", 500, "too long"),
    ({"code": 501, "data": None}, "unknown", 501, "the callback does not say why"),
    (
        {"code": 200, "msg": "success", "data": {"state": "FAILED", "instruments": []}},
        "midi",
        200,
        "the callback does not",
    ),
    ({"code": 200, "data": {"state": "failed", "errorMessage": "no drums"}}, "midi", 200, "no drums"),
    ({"code": 200, "data": {"video_url": None}}, "video", 200, "no failure is announced, but video_url is null"),
    ({"data": {"video_url": "file:///etc/passwd"}}, "video", None, "no failure is announced, but video_url is 'file:"),
    ({"code": 200, "data": {"vocal_removal_info": None}}, "separation", 200, "no failure is announced, but vocal_rem"),
    ({"code": 200, "data": {"vocal_removal_info": {"origin_url": LINK}}}, "separation", 200, "no failure is announced"),
    ({"code": 500, "msg": 5, "video_url": LINK}, "video", 500, "the callback does not say why"),
]


@pytest.mark.parametrize(("document", "kind", "code", "message"), FAILURES)
def test_a_failure_is_told_by_code_by_state_or_by_a_link_that_is_not_there(
    document: dict[str, Any], kind: str, code: int | None, message: str
) -> None:
    result = read_result({"taskId": "a", **document})
    assert isinstance(result, FailedResult)
    assert (result.task_id, result.kind, result.code) == ("a", kind, code)
    assert result.message.startswith(message)
    assert kind_of(document) == kind


def test_other_json_is_unknown_and_kept() -> None:
    document = {"code": 200, "data": {"task_id": 12, "callbackType": "first"}}
    assert read_result(document) == UnknownResult("12", 200, document)


@pytest.mark.parametrize("document", [None, [], "text", 5])
def test_what_is_no_object_is_refused_in_words(document: object) -> None:
    with pytest.raises(BadParameter, match="expected a JSON object"):
        read_result(document)


CALLBACKS = sorted(GOLDENS.glob("callback-*.json"))


@pytest.mark.parametrize("path", CALLBACKS, ids=[path.stem for path in CALLBACKS])
def test_everything_our_server_sends_is_read_without_a_problem(path: Path) -> None:
    text = path.read_text().replace("<link>", LINK)
    result = read_result(json.loads(text.replace("<instruments>", json.dumps(midi(NOTE)["data"]["instruments"][0]))))
    assert result.task_id == "<task>"
    assert isinstance(result, FailedResult) == ("failure" in path.stem)
    assert isinstance(result, FailedResult) or not getattr(result, "problems", ())
    assert not isinstance(result, UnknownResult)


SCALAR = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just(LINK)
FIELDS = st.sampled_from(
    [
        "code",
        "msg",
        "taskId",
        "task_id",
        "data",
        "state",
        "instruments",
        "video_url",
        "vocal_removal_info",
        "vocal_url",
        "name",
        "notes",
        "pitch",
        "start",
        "end",
        "velocity",
    ]
)
LIKE_A_CALLBACK = st.dictionaries(
    FIELDS,
    st.recursive(SCALAR, lambda inner: st.dictionaries(FIELDS, inner, max_size=6) | st.lists(inner, max_size=3)),
)


@settings(max_examples=50, deadline=None)
@given(document=LIKE_A_CALLBACK)
def test_no_object_is_too_odd_to_be_read(document: dict[str, Any]) -> None:
    result = read_result(document)
    assert result.document is document
    for instrument in getattr(result, "instruments", ()):
        assert all(0 <= note.pitch <= 127 and 0 <= note.start <= note.end for note in instrument.notes)
