"""Polling until a task has ended."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from tests.unit.client.api import TASK, Answer, Api, Connect, refusal, success

from antiphon.client import ApiError, NotEnded
from antiphon.client.watch import interval
from antiphon.contract.kinds import Kind

PENDING: dict[str, Any] = {"taskId": TASK, "successFlag": 0, "state": "running", "stage": "bass", "progress": 0.4}
ENDED = success({"taskId": TASK, "successFlag": 1, "state": "succeeded", "midiData": {}})


def pending(times: int, **headers: str) -> Iterator[httpx.Response]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return (success(PENDING, **named) for _ in range(times))


def test_the_documented_intervals_are_kept() -> None:
    assert [interval(Kind.MIDI, looks) for looks in range(1, 8)] == [10, 15, 20, 25, 30, 30, 30]
    assert [interval(Kind.VIDEO, looks) for looks in (1, 2, 50)] == [30, 30, 30]
    assert [interval(Kind.SEPARATION, looks) for looks in (1, 9)] == [10, 30]


def test_a_task_is_waited_for_at_growing_intervals(connect: Connect) -> None:
    api = Api(*pending(6), ENDED)
    shown: list[Any] = []
    record = connect(api)("wait", TASK, Kind.MIDI, deadline=600, seen=shown.append)
    assert record["state"] == "succeeded"
    assert api.pauses == [10, 15, 20, 25, 30, 30]
    assert [each["state"] for each in shown] == ["running"] * 6 + ["succeeded"]


def test_the_servers_advice_comes_before_the_documented_interval(connect: Connect) -> None:
    api = Api(*pending(2, Retry_After="3"), ENDED)
    connect(api)("wait", TASK, "midi", deadline=600)
    assert api.pauses == [3, 3]


def test_the_callers_interval_comes_before_all(connect: Connect) -> None:
    api = Api(*pending(2, Retry_After="30"), ENDED)
    connect(api)("wait", TASK, "midi", deadline=600, every=0.5)
    assert api.pauses == [0.5, 0.5]


def test_a_failed_and_a_cancelled_task_end_the_waiting_too(connect: Connect) -> None:
    for state in ("failed", "cancelled"):
        api = Api(success({**PENDING, "state": state}))
        assert connect(api)("wait", TASK, "midi", deadline=0)["state"] == state


@pytest.mark.parametrize(("kind", "asked"), [("midi", 1), ("mp4", 2), ("vocal-removal", 3)])
@pytest.mark.parametrize("unknown", [refusal(404), refusal(422, status=200), success(None)])
def test_the_kind_is_found_by_asking_once(connect: Connect, kind: str, asked: int, unknown: Answer) -> None:
    answers = [success({"taskId": TASK, "successFlag": "PENDING"}), success({"taskId": TASK, "successFlag": "SUCCESS"})]
    api = Api(unknown, by_path={f"/{kind}/record-info": lambda: answers.pop(0)})
    assert connect(api)("wait", TASK, deadline=600)["successFlag"] == "SUCCESS"
    assert len(api.calls) == asked + 1
    assert api.calls[-1] == f"GET /api/v1/{kind}/record-info?taskId={TASK}"


def test_a_task_that_no_kind_knows_is_missing(connect: Connect) -> None:
    api = Api(refusal(404))
    with pytest.raises(ApiError, match=f"no record of a task {TASK} .*check the id and the API key") as missing:
        connect(api)("wait", TASK, deadline=600)
    assert (missing.value.answer_code, len(api.calls), api.pauses) == (404, 4, [])


@pytest.mark.parametrize("refused", [401, 403, 410])
def test_what_waiting_does_not_change_ends_it(connect: Connect, refused: int) -> None:
    api = Api(refusal(refused, "words"))
    with pytest.raises(ApiError, match="words") as error:
        connect(api)("wait", TASK, deadline=600)
    assert (error.value.answer_code, len(api.calls)) == (refused, 1)


def test_a_server_that_restarts_is_waited_out_and_asked_less_and_less_often(connect: Connect) -> None:
    away = [httpx.ConnectError("refused")] * 5
    api = Api(*pending(1), *away, refusal(503), refusal(430, Retry_After="45"), ENDED)
    assert connect(api)("wait", TASK, "midi", deadline=600)["state"] == "succeeded"
    first, *backoff, asked_for = api.pauses
    assert (first, asked_for) == (10, 45)
    assert all(low <= pause <= 2 * low for pause, low in zip(backoff, (0.5, 1, 2, 4, 8, 15), strict=True))


def test_the_last_look_is_at_the_deadline_and_then_it_is_said_how_the_task_stands(connect: Connect) -> None:
    api = Api(*pending(1))
    with pytest.raises(NotEnded, match=rf"task {TASK} has not ended by the deadline: bass, 40 %") as late:
        connect(api)("wait", TASK, "midi", deadline=32)
    assert api.pauses == [10, 15, 7]
    assert len(api.calls) == 4
    assert isinstance(late.value, TimeoutError)


def test_a_server_that_stays_away_is_named_at_the_deadline(connect: Connect) -> None:
    api = Api(httpx.ConnectError("refused"))
    with pytest.raises(NotEnded, match=r"by the deadline: no connection to http://api.example/api/v1"):
        connect(api)("wait", TASK, deadline=100)
    assert sum(api.pauses) == pytest.approx(100)


def test_no_deadline_left_still_means_one_look(connect: Connect) -> None:
    api = Api(*pending(1))
    with pytest.raises(NotEnded):
        connect(api)("wait", TASK, "midi", deadline=0)
    assert (len(api.calls), api.pauses) == (1, [])


def test_a_look_is_one_call_that_is_not_repeated(connect: Connect) -> None:
    api = Api(*pending(1, Retry_After="12"))
    look = connect(api)("look", TASK, "midi")
    assert (look.kind, look.outcome, look.retry_after, look.record) == (Kind.MIDI, "pending", 12, PENDING)
    with pytest.raises(ApiError):
        connect(Api(refusal(503)))("look", TASK, "midi")
