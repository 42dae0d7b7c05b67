"""What is tried again, after how long, and what is never sent twice."""

from email.utils import formatdate
from pathlib import Path
from time import time

import httpx
import pytest
from tests.unit.client.api import TASK, Answer, Api, Connect, refusal, success

from antiphon.client import NO_RETRIES, ApiError, Retries, Unreachable

UNSENT = httpx.ConnectError("refused")
BROKEN = httpx.ReadError("reset")
SILENT = httpx.ReadTimeout("")
OURS = success({"tasks": []})
RECORD = success({"taskId": TASK, "successFlag": 1})
MADE = success({"taskId": "made"})


@pytest.mark.parametrize("trouble", [UNSENT, BROKEN, SILENT, refusal(500), refusal(503), refusal(430)])
def test_a_record_is_asked_for_again_after_a_passing_trouble(connect: Connect, trouble: Answer) -> None:
    api = Api(trouble, trouble, RECORD)
    assert connect(api)("record", "midi", TASK)["successFlag"] == 1
    assert len(api.pauses) == 2


@pytest.mark.parametrize("refused", [400, 401, 404, 405, 409, 410, 413, 415])
def test_what_no_other_try_changes_is_not_tried_again(connect: Connect, refused: int) -> None:
    api = Api(refusal(refused))
    with pytest.raises(ApiError):
        connect(api)("record", "midi", TASK)
    assert (len(api.requests), api.pauses) == (1, [])


@pytest.mark.parametrize("trouble", [UNSENT, refusal(430), refusal(430, status=200), refusal(455)])
def test_a_request_for_work_that_had_no_effect_is_sent_again_to_any_server(connect: Connect, trouble: Answer) -> None:
    api = Api(trouble, MADE)
    assert connect(api)("midi", TASK) == "made"
    assert api.calls == ["POST /api/v1/midi/generate"] * 2
    assert len(set(api.header("idempotency-key"))) == 1


@pytest.mark.parametrize("trouble", [BROKEN, SILENT, refusal(500), refusal(502)])
def test_a_request_for_work_that_may_have_come_through_is_sent_again_only_to_a_server_that_knows_it_again(
    connect: Connect, trouble: Answer
) -> None:
    ours = Api(trouble, MADE, by_path={"/tasks": lambda: OURS})
    assert connect(ours)("midi", TASK) == "made"
    assert ours.calls == ["POST /api/v1/midi/generate", "GET /api/v1/tasks?limit=1", "POST /api/v1/midi/generate"]
    first, _, second = ours.header("idempotency-key")
    assert first == second is not None

    another = Api(trouble, MADE, by_path={"/tasks": lambda: refusal(404, "no such path")})
    with pytest.raises((ApiError, Unreachable)):
        connect(another)("midi", TASK)
    assert [call for call in another.calls if call.startswith("POST")] == ["POST /api/v1/midi/generate"]


def test_a_server_is_asked_only_once_whether_it_is_ours(connect: Connect) -> None:
    api = Api(refusal(500), MADE, refusal(500), MADE, by_path={"/tasks": lambda: OURS})
    client = connect(api)
    assert client("midi", TASK) == client("midi", TASK) == "made"
    assert api.calls.count("GET /api/v1/tasks?limit=1") == 1


def test_a_server_that_does_not_say_whether_it_is_ours_gets_nothing_twice(connect: Connect) -> None:
    api = Api(BROKEN, MADE, by_path={"/tasks": lambda: BROKEN})
    with pytest.raises(Unreachable, match="broke off"):
        connect(api)("midi", TASK)
    assert api.calls.count("POST /api/v1/midi/generate") == 1


def test_each_call_has_a_key_of_its_own_unless_one_is_given(connect: Connect) -> None:
    api = Api(MADE)
    client = connect(api)
    client("midi", TASK)
    client("midi", TASK)
    client("midi", TASK, idempotency_key="mine")
    first, second, third = api.header("idempotency-key")
    assert first != second
    assert third == "mine"


def test_an_upload_is_sent_again_whole(connect: Connect, tmp_path: Path) -> None:
    song = tmp_path / "song.mp3"
    song.write_bytes(b"la" * 100_000)
    api = Api(refusal(455), success({"taskId": TASK}))
    connect(api)("upload", song)
    assert [request.content.count(b"la" * 100_000) for request in api.requests] == [1, 1]


@pytest.mark.parametrize("given", ["60", "60.0", "a date"])
def test_the_pause_is_the_one_that_the_server_asks_for(connect: Connect, given: str) -> None:
    asked = formatdate(time() + 60, usegmt=True) if given == "a date" else given
    api = Api(refusal(430, Retry_After=asked), RECORD)
    connect(api, retries=Retries(patience=100))("record", "midi", TASK)
    (pause,) = api.pauses
    assert 40 < pause < 67


@pytest.mark.parametrize("given", ["soon", "", "nan", "inf", "-3", "99:99"])
def test_a_retry_after_that_is_none_is_not_waited_for(connect: Connect, given: str) -> None:
    api = Api(refusal(430, Retry_After=given), RECORD)
    connect(api)("record", "midi", TASK)
    (pause,) = api.pauses
    assert 0 <= pause <= 0.5


def test_a_server_that_asks_for_too_much_patience_is_told_on_at_once(connect: Connect) -> None:
    api = Api(refusal(455, "maintenance", Retry_After="600"))
    with pytest.raises(ApiError, match="maintenance") as refused:
        connect(api)("midi", TASK)
    assert (refused.value.retry_after, api.pauses) == (600, [])


def test_pauses_double_with_jitter_up_to_the_longest_and_then_the_error_comes() -> None:
    retries = Retries(tries=6, first=1, longest=5)
    error = Unreachable("", sent=False)
    fullest = [retries.pause(attempt, error, waited=0, chance=1) for attempt in range(1, 7)]
    assert fullest == [1, 2, 4, 5, 5, None]
    assert [retries.pause(attempt, error, waited=0, chance=0) for attempt in (1, 2)] == [0.5, 1]
    assert retries.pause(2, error, waited=59, chance=1) is None
    assert Retries(tries=9999).pause(9998, error, waited=0, chance=1) == 10


def test_without_retries_the_first_error_comes_at_once(connect: Connect) -> None:
    api = Api(UNSENT)
    with pytest.raises(Unreachable, match=r"no connection to http://api\.example/api/v1: refused") as failed:
        connect(api, retries=NO_RETRIES)("record", "midi", TASK)
    assert (api.pauses, failed.value.sent) == ([], False)
