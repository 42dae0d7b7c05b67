"""What goes over the wire, and what is made of the answers."""

from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.unit.client.api import TASK, Api, Connect, refusal, success

from antiphon.client import ApiError, Client
from antiphon.client.records import outcome_of
from antiphon.contract.kinds import Kind, SeparationType
from antiphon.errors import BadParameter

AUDIO = "e231f5a0-9f2d-4c11-8e6d-2b8cadc7dc01"
HOOK = "https://you.example/hook"


@pytest.mark.parametrize(
    ("method", "given", "named", "call", "body"),
    [
        (
            "separate",
            (TASK, AUDIO, SeparationType.SPLIT_STEM, HOOK),
            {},
            "POST /api/v1/vocal-removal/generate",
            {"taskId": TASK, "audioId": AUDIO, "type": "split_stem", "callBackUrl": HOOK},
        ),
        ("midi", (TASK,), {}, "POST /api/v1/midi/generate", {"taskId": TASK}),
        (
            "midi",
            (TASK, HOOK, AUDIO),
            {},
            "POST /api/v1/midi/generate",
            {"taskId": TASK, "audioId": AUDIO, "callBackUrl": HOOK},
        ),
        (
            "midi",
            (TASK,),
            {"quantize": "1/16"},
            "POST /api/v1/midi/generate",
            {"taskId": TASK, "quantize": "1/16"},
        ),
        (
            "video",
            (TASK, AUDIO, HOOK),
            {"author": "Zoë", "domain": "you.example"},
            "POST /api/v1/mp4/generate",
            {"taskId": TASK, "audioId": AUDIO, "callBackUrl": HOOK, "author": "Zoë", "domainName": "you.example"},
        ),
        (
            "video",
            (TASK, AUDIO),
            {"theme": "wave", "aspect": "9:16", "resolution": "1080p", "fps": 60, "audio": "copy", "lyrics": ""},
            "POST /api/v1/mp4/generate",
            {
                "taskId": TASK,
                "audioId": AUDIO,
                "theme": "wave",
                "aspect": "9:16",
                "resolution": "1080p",
                "fps": 60,
                "audio": "copy",
                "lyrics": "",
            },
        ),
    ],
)
def test_a_request_for_work_is_sent_as_documented_and_gives_the_tasks_id(
    connect: Connect, method: str, given: Any, named: Any, call: str, body: Any
) -> None:
    api = Api(success({"taskId": "made"}))
    assert connect(api)(method, *given, **named) == "made"
    assert api.calls == [call]
    assert api.body() == body
    assert api.header("authorization") == ["Bearer ak_secret"]


def test_an_upload_sends_the_file_its_fields_and_its_cover(connect: Connect, tmp_path: Path) -> None:
    song, cover = tmp_path / "song.mp3", tmp_path / "cover.png"
    song.write_bytes(b"la la la")
    cover.write_bytes(b"a picture")
    api = Api(success({"taskId": TASK, "audioId": AUDIO, "duration": 1.5}))
    uploaded = connect(api)("upload", song, title="Ö", cover=cover)
    assert uploaded["audioId"] == AUDIO
    sent = api.requests[0].content
    assert api.calls == ["POST /api/v1/audio/upload"]
    for part in (b'name="file"; filename="song.mp3"', b"la la la", b'name="cover"', b"a picture", "Ö".encode()):
        assert part in sent
    assert b"author" not in sent


def test_an_upload_from_a_url_names_only_what_was_given(connect: Connect) -> None:
    api = Api(success({"taskId": TASK, "audioId": AUDIO}))
    connect(api)("upload_url", "https://you.example/song.mp3", author="Me")
    assert api.body() == {"url": "https://you.example/song.mp3", "author": "Me"}


def test_a_file_that_is_not_there_is_named(connect: Connect, tmp_path: Path) -> None:
    with pytest.raises(BadParameter, match=r"file: .*none\.mp3 cannot be read: No such file"):
        connect(Api(success({})))("upload", tmp_path / "none.mp3")


@pytest.mark.parametrize(
    "base_url", ["http://api.example", "http://api.example/", "http://api.example/api/v1", "http://api.example/api/v1/"]
)
def test_the_base_url_may_have_the_api_path_or_not(connect: Connect, base_url: str) -> None:
    api = Api(success({"taskId": TASK}))
    connect(api, base_url)("record", Kind.MIDI, TASK)
    assert str(api.requests[0].url) == f"http://api.example/api/v1/midi/record-info?taskId={TASK}"


def test_a_base_url_below_another_path_is_kept(connect: Connect) -> None:
    api = Api(success({"taskId": TASK}))
    connect(api, "https://gateway.example/music")("record", "video", TASK)
    assert str(api.requests[0].url) == f"https://gateway.example/music/api/v1/mp4/record-info?taskId={TASK}"


@pytest.mark.parametrize(
    "base_url",
    ["", "music.example.com", "ftp://x", "http://", "http://x/?a=1", "http://u:p@x", "http://[", "http://x:99999"],
)
def test_what_is_no_base_url_is_refused_in_words(base_url: str) -> None:
    with pytest.raises(BadParameter, match=r"base_url: expected the API's address such as"):
        Client(base_url, "ak")


@pytest.mark.parametrize("key", ["", " ", "ak_\nX: y", "schlüssel"])
def test_what_is_no_api_key_is_refused_without_repeating_it(key: str) -> None:
    with pytest.raises(BadParameter, match="api_key: expected printable ASCII") as refused:
        Client("http://api.example", key)
    assert not key.strip() or key not in refused.value.message


def test_the_list_of_tasks_is_read_page_by_page(connect: Connect) -> None:
    pages = [
        {"tasks": [{"taskId": "c"}, {"taskId": "b"}], "nextCursor": "7"},
        {"tasks": [{"taskId": "a"}], "nextCursor": None},
    ]
    api = Api(*map(success, pages))
    found = connect(api)("tasks", kind=Kind.MIDI, state="succeeded")
    assert [task["taskId"] for task in found] == ["c", "b", "a"]
    assert api.calls == [
        "GET /api/v1/tasks?kind=midi&state=succeeded&limit=50",
        "GET /api/v1/tasks?kind=midi&state=succeeded&cursor=7&limit=50",
    ]


def test_a_task_is_found_among_those_that_only_name_its_id(connect: Connect) -> None:
    items = [{"taskId": "other", "title": f"Remix of {TASK}"}, {"taskId": TASK, "title": "Song"}]
    assert connect(Api(success({"tasks": items})))("task", TASK)["title"] == "Song"
    with pytest.raises(ApiError, match=f"no task {TASK}") as missing:
        connect(Api(success({"tasks": items[:1]})))("task", TASK)
    assert missing.value.answer_code == 404


def test_cancel_callbacks_and_resend_name_the_task_in_the_path(connect: Connect) -> None:
    api = Api(success({"taskId": TASK, "state": "cancelled", "deliveries": [{"webhookId": "msg_1"}]}))
    client = connect(api)
    assert client("cancel", TASK)["state"] == "cancelled"
    assert client("callbacks", TASK) == client("resend", TASK) == [{"webhookId": "msg_1"}]
    path = f"/api/v1/tasks/{TASK}"
    assert api.calls == [f"POST {path}/cancel", f"GET {path}/callbacks", f"POST {path}/callbacks/resend"]


def test_a_task_id_does_not_lead_to_another_path(connect: Connect) -> None:
    api = Api(success({}))
    with pytest.raises(BadParameter, match="task_id: expected letters and digits"):
        connect(api)("cancel", "../../../admin")
    assert api.calls == []


def test_a_kind_without_a_record_is_refused_in_words(connect: Connect) -> None:
    with pytest.raises(BadParameter, match=r"kind: expected midi, video, separation, wav \(got .*upload"):
        connect(Api(success({})))("record", Kind.UPLOAD, TASK)


@pytest.mark.parametrize(
    ("answer", "code", "words"),
    [
        (refusal(404, "taskId: there is no task"), 404, "taskId: there is no task"),
        (refusal(409, "not yet", status=200), 409, "not yet"),
        (httpx.Response(200, json={"code": "401", "msg": "no key"}), 401, "no key"),
        (httpx.Response(400, json={"code": 200, "message": "strange"}), 400, "strange"),
        (httpx.Response(403, json={"error": "forbidden"}), 403, "forbidden"),
        (httpx.Response(404, text="<h1>nginx</h1>"), 404, "no JSON object in the answer, HTTP 404: <h1>nginx</h1>"),
        (httpx.Response(200, text="[1, 2]"), 0, "no JSON object in the answer"),
        (httpx.Response(200, text='{"a":' * 100_000), 0, "no JSON object"),
        (httpx.Response(301, headers={"Location": "https://api.example/"}), 301, "redirects to https://api.example/"),
        (success(None), 0, "says success, but its data is no object"),
        (success({"id": 1}), 0, "says success, but names no taskId"),
        (success({"taskId": None}), 0, "says success, but names no taskId"),
    ],
)
def test_an_answer_that_is_no_success_is_an_error_with_its_code_and_words(
    connect: Connect, answer: httpx.Response, code: int, words: str
) -> None:
    with pytest.raises(ApiError) as refused:
        connect(Api(answer))("midi", TASK)
    assert refused.value.answer_code == code
    assert words in refused.value.message


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, json={"data": {"taskId": "made"}}),
        httpx.Response(201, json={"code": "200", "msg": "success", "data": {"task_id": "made"}}),
        httpx.Response(200, json={"code": 200.0, "data": {"taskId": "made", "more": 1}}),
    ],
)
def test_an_envelope_of_another_server_is_read_tolerantly(connect: Connect, answer: httpx.Response) -> None:
    assert connect(Api(answer))("midi", TASK) == "made"


@pytest.mark.parametrize("answer", [success(None), success({"taskId": "another"}), refusal(404)])
def test_a_record_that_is_null_or_anothers_is_not_found(connect: Connect, answer: httpx.Response) -> None:
    with pytest.raises(ApiError) as missing:
        connect(Api(answer))("record", "midi", TASK)
    assert missing.value.answer_code == 404


@pytest.mark.parametrize(
    ("record", "outcome"),
    [
        ({"state": "running", "successFlag": "PENDING"}, "pending"),
        ({"state": "cancelled", "successFlag": "GENERATE_AUDIO_FAILED"}, "cancelled"),
        ({"state": "succeeded", "successFlag": "CALLBACK_EXCEPTION"}, "succeeded"),
        ({"state": "failed", "successFlag": "CALLBACK_EXCEPTION"}, "failed"),
        ({"successFlag": "PENDING"}, "pending"),
        ({"successFlag": "SUCCESS"}, "succeeded"),
        ({"successFlag": "CREATE_TASK_FAILED"}, "failed"),
        ({"successFlag": "GENERATE_MP4_FAILED"}, "failed"),
        ({"successFlag": "CALLBACK_EXCEPTION", "response": {"videoUrl": "https://x"}}, "succeeded"),
        ({"successFlag": "CALLBACK_EXCEPTION", "response": None}, "failed"),
        ({"successFlag": 0}, "pending"),
        ({"successFlag": 1}, "succeeded"),
        ({"successFlag": 2}, "failed"),
        ({"successFlag": "3"}, "failed"),
        ({"successFlag": 17}, "failed"),
        ({"successFlag": "SOMETHING_NEW"}, "pending"),
        ({"successFlag": None}, "pending"),
        ({}, "pending"),
    ],
)
def test_a_record_tells_how_its_task_stands(record: dict[str, Any], outcome: str) -> None:
    assert outcome_of(record) == outcome


def test_a_server_that_wants_a_callback_url_is_told_of_as_what_it_is(connect: Connect) -> None:
    wants = refusal(400, "callBackUrl is required")
    with pytest.raises(ApiError, match="makes no task without callback_url"):
        connect(Api(wants))("midi", TASK)
    with pytest.raises(ApiError) as given:
        connect(Api(wants))("midi", TASK, "ftp://example.com")
    assert given.value.message == "callBackUrl is required"
