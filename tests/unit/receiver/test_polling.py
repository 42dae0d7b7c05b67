"""Polling brings into the inbox what the callback would have brought, and brings it once."""

import json
import threading
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.unit.client.api import Api, refusal, success

from antiphon.client import ApiError, Client
from antiphon.contract import callbacks
from antiphon.contract.kinds import Kind, SeparationType
from antiphon.receiver.inbox.inbox import Inbox
from antiphon.receiver.polling import Polled, callback_of, poll

TASK = "5c79be8e5c7f4bb0a3f7a1a2b3c4d5e6"
LINK = "https://music.example.com/files/eyJ"
NOTE = {"pitch": 44, "start": 7.6875, "end": 7.9115, "velocity": 0.8}
INSTRUMENTS: list[dict[str, Any]] = [{"name": "Drums", "notes": [NOTE]}, {"name": "Violin", "notes": []}]
STEMS = {"origin": f"{LINK}o", "vocal": f"{LINK}v", "drums": f"{LINK}d", "bass": f"{LINK}b", "other": f"{LINK}x"}
MIDI = {"taskId": TASK, "successFlag": 1, "midiData": {"state": "complete", "instruments": INSTRUMENTS}}
VIDEO = {"taskId": TASK, "successFlag": "SUCCESS", "response": {"videoUrl": f"{LINK}?signed=now"}}
SPLIT = {
    "taskId": TASK,
    "successFlag": "SUCCESS",
    "response": {**{f"{stem}Url": url for stem, url in STEMS.items()}, "backingVocalsUrl": None, "originData": [{}]},
}
TWO = {"origin": f"{LINK}o", "vocal": f"{LINK}v", "instrumental": f"{LINK}i"}
VOCAL = {**SPLIT, "response": {**{f"{stem}Url": url for stem, url in TWO.items()}, "fxUrl": None}}
BACKING = {**SPLIT, "response": {"originUrl": "", "backingVocalsUrl": LINK}}
ERROR = "the song is silent"
TEXTS = {**NOTE, "start": "7.6875", "end": "7.91150"}
SAME: dict[str, tuple[Kind, dict[str, Any], dict[str, Any]]] = {
    "midi": (Kind.MIDI, MIDI, callbacks.midi_callback(TASK, INSTRUMENTS, None)),
    "midi as texts": (
        Kind.MIDI,
        {
            **MIDI,
            "midiData": {"instruments": [{"name": "Drums", "notes": [TEXTS]}]},
        },
        callbacks.midi_callback(TASK, INSTRUMENTS[:1], None),
    ),
    "midi within a text": (
        Kind.MIDI,
        {**MIDI, "midiData": json.dumps(MIDI["midiData"])},
        callbacks.midi_callback(TASK, INSTRUMENTS, None),
    ),
    "a failed midi": (
        Kind.MIDI,
        {"successFlag": 3, "errorMessage": ERROR, "midiData": None},
        callbacks.midi_callback(TASK, None, "in other words"),
    ),
    "a video, its link signed anew": (Kind.VIDEO, VIDEO, callbacks.video_callback(TASK, f"{LINK}?signed=then", None)),
    "a failed video": (
        Kind.VIDEO,
        {"successFlag": "GENERATE_MP4_FAILED", "response": None},
        callbacks.video_callback(TASK, None, ERROR),
    ),
    "split_stem": (
        Kind.SEPARATION,
        SPLIT,
        callbacks.separation_callback(TASK, SeparationType.SPLIT_STEM, STEMS, None),
    ),
    "separate_vocal": (
        Kind.SEPARATION,
        VOCAL,
        callbacks.separation_callback(TASK, SeparationType.SEPARATE_VOCAL, TWO, None),
    ),
    "backing vocals": (
        Kind.SEPARATION,
        BACKING,
        callbacks.separation_callback(TASK, SeparationType.SPLIT_STEM, {"origin": "", "backing_vocals": LINK}, None),
    ),
    "a failed separation": (
        Kind.SEPARATION,
        {"successFlag": "CREATE_TASK_FAILED", "errorMessage": ERROR},
        callbacks.separation_callback(TASK, SeparationType.SPLIT_STEM, None, ERROR),
    ),
}


@pytest.fixture
def inbox(tmp_path: Path) -> Any:
    with Inbox(tmp_path / "inbox") as inbox:
        yield inbox


def client_of(api: Api) -> Client:
    return Client("http://api.example", "ak", transport=httpx.MockTransport(api))


def follow(api: Api, inbox: Inbox | None, *tasks: str, deadline: float = 600, **how: Any) -> list[Polled]:
    with client_of(api) as client:
        return poll(client, inbox, tasks, deadline=deadline, clock=api.clock, sleep=api.sleep, **how)


@pytest.mark.parametrize("polled_first", [True, False], ids=["polled first", "called first"])
@pytest.mark.parametrize(("kind", "record", "callback"), SAME.values(), ids=SAME)
def test_a_record_and_the_callback_are_one_event(
    inbox: Inbox, kind: Kind, record: dict[str, Any], callback: dict[str, Any], polled_first: bool
) -> None:
    body = callback_of(kind, TASK, record)
    assert body is not None
    came = [(body, "polled"), (json.dumps(callback).encode(), "standard")]
    first, second = came if polled_first else reversed(came)
    event, new = inbox.add(first[0], scheme=first[1])  # type: ignore[arg-type]
    again, newer = inbox.add(second[0], scheme=second[1])  # type: ignore[arg-type]
    assert (new, newer) == (True, False)
    assert (again.id, again.kind, again.task_id, again.version, again.repeats) == (event.id, kind, TASK, 1, 1)
    assert again.code == (200 if record.get("successFlag") in (1, "SUCCESS") else 500)


def test_what_a_strange_record_holds_is_taken_over_as_it_is() -> None:
    notes = [{"pitch": "?"}, 7, None]
    record = {"successFlag": 1, "midiData": {"instruments": [{"name": None, "notes": notes}], "tempo": 120}}
    body = json.loads(callback_of(Kind.MIDI, TASK, record) or b"")
    assert body["data"] == {
        "state": "complete",
        "taskId": TASK,
        "task_id": TASK,
        "instruments": [{"name": None, "notes": notes}],
        "tempo": 120,
    }


@pytest.mark.parametrize("record", [{"successFlag": 0}, {"successFlag": "PENDING"}, {"state": "cancelled"}])
def test_a_pending_and_a_cancelled_task_announce_nothing(record: dict[str, Any]) -> None:
    assert callback_of(Kind.MIDI, TASK, record) is None


def test_several_tasks_are_followed_side_by_side_within_the_limit_of_calls(inbox: Inbox) -> None:
    midi = [success({"successFlag": 0})] * 3 + [success({"successFlag": 1, "midiData": {}})]
    video = [success({"successFlag": "PENDING"}), success({"successFlag": "SUCCESS", "response": {"videoUrl": LINK}})]
    api = Api(refusal(404), by_path={"/a/midi": lambda: midi.pop(0), "/b/mp4": lambda: video.pop(0)})

    def by_task(request: httpx.Request) -> httpx.Response:
        task, kind = request.url.params["taskId"], request.url.path.split("/")[-2]
        return api(httpx.Request("GET", f"http://api.example/{task}/{kind}"))

    told: list[Polled] = []
    with Client("http://api.example", "ak", transport=httpx.MockTransport(by_task)) as client:
        done = poll(client, inbox, ["a", "b", "a"], deadline=600, told=told.append, clock=api.clock, sleep=api.sleep)
    assert [(each.task_id, each.kind, each.outcome, each.new) for each in done] == [
        ("a", Kind.MIDI, "succeeded", True),
        ("b", Kind.VIDEO, "succeeded", True),
    ]
    assert [each.task_id for each in told] == ["b", "a"]
    assert api.pauses == [0, 0.5, 9.5, 15, 5.5, 14.5]  # a at 0, 10, 25, 45 s; b at 0.5 and 30.5 s
    assert [(event.kind, event.task_id, event.scheme) for event in inbox.events()] == [
        ("video", "b", "polled"),
        ("midi", "a", "polled"),
    ]


@pytest.mark.parametrize(("code", "outcome"), [(400, "missing"), (404, "missing"), (410, "expired")])
def test_a_task_that_is_not_there_is_no_reason_to_leave_the_others(inbox: Inbox, code: int, outcome: str) -> None:
    answers = [refusal(code, "gone")] * (1 if code == 410 else 4)
    api = Api(*answers, success({"successFlag": 1}))
    gone, done = follow(api, inbox, "a", "b")
    assert (gone.outcome, done.outcome) == (outcome, "succeeded")
    assert [event.task_id for event in inbox.events()] == ["b"]


def test_a_wrong_key_ends_it_at_once(inbox: Inbox) -> None:
    api = Api(refusal(401, "this API key is unknown"))
    with pytest.raises(ApiError, match="unknown"):
        follow(api, inbox, "a", "b")
    assert len(api.calls) == 1


def test_a_cancelled_task_is_told_of_but_is_no_event(inbox: Inbox) -> None:
    record = {"state": "cancelled", "successFlag": 3, "errorMessage": "cancelled by its owner"}
    (done,) = follow(Api(success(record)), inbox, "a", kind=Kind.MIDI)
    assert (done.outcome, done.event, done.message) == ("cancelled", None, "cancelled by its owner")
    assert list(inbox.events()) == []


def test_the_deadline_leaves_what_is_pending_with_how_it_stands(inbox: Inbox) -> None:
    api = Api(success({"successFlag": 0, "state": "running", "stage": "bass", "progress": 0.4}))
    (left,) = follow(api, inbox, "a", deadline=20)
    assert left.outcome == "pending"
    assert left.message == "task a has not ended by the deadline: bass, 40 %"
    assert sum(api.pauses) == 20


def test_a_thousand_tasks_do_not_put_the_deadline_off(inbox: Inbox) -> None:
    api = Api(success({"successFlag": 0}))
    left = follow(api, inbox, *map(str, range(1000)), deadline=520, kind=Kind.MIDI)
    assert {each.outcome for each in left} == {"pending"}
    assert sum(api.pauses) < 530
    assert len({request.url.params["taskId"] for request in api.requests}) == 1000


def test_a_refusal_for_too_many_calls_holds_all_of_them_back(inbox: Inbox) -> None:
    api = Api(refusal(430, Retry_After="7"), success({"successFlag": 1}))
    assert [each.outcome for each in follow(api, inbox, "a", "b", kind=Kind.MIDI)] == ["succeeded"] * 2
    assert api.pauses[:2] == [0, 7]


def test_a_server_that_restarts_is_waited_out(inbox: Inbox) -> None:
    api = Api(httpx.ConnectError("refused"), httpx.ReadError("reset"), refusal(503), success({"successFlag": 1}))
    (done,) = follow(api, inbox, "a", kind=Kind.MIDI)
    assert done.new


def test_polling_again_finds_what_is_there_already(inbox: Inbox) -> None:
    api = Api(success({"successFlag": 1}))
    (first,), (second,) = (follow(api, inbox, "a", kind=Kind.MIDI) for _ in range(2))
    assert (first.new, second.new) == (True, False)
    assert first.event is not None and second.event is not None and first.event.id == second.event.id


def test_polling_that_is_told_to_stop_stops_at_once_and_says_so(inbox: Inbox) -> None:
    stop = threading.Event()
    api = Api(success({"successFlag": 0}))
    left = follow(api, inbox, "a", "b", kind=Kind.MIDI, stop=stop, spacing=0, seen=lambda watch: stop.set())
    assert [(each.outcome, each.message) for each in left] == [("pending", "polling was stopped")] * 2
    assert len(api.calls) == 1
