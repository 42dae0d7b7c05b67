"""Leniency towards clients of the documented API: unknown fields, slashes, large bodies, pages of other origins."""

import http.client
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from antiphon.api.limits import MAX_BODY_BYTES
from tests.integration.recording_receiver import Receiver
from tests.integration.server import Server, succeeded
from tests.waiting import wait_for

UNKNOWN = "0" * 32
LOOPBACK = "audioUrl leads to 127.0.0.1, which is loopback"
ORIGIN = "https://app.example.com"


@pytest.fixture(scope="module")
def hosted(start_server: Callable[..., Server], server: Server) -> Server:
    """An API of the profile ``hosted`` that refuses unknown fields and knows the pages of one origin."""
    started = start_server(
        "hosted", "api", profile="hosted", strict="1", cors_origins=f"{ORIGIN}, https://b.example.com"
    )
    started.key = server.key
    return started


@pytest.mark.parametrize("name", ["callbackUrl", "waitAudio", "a\0\x1b[2J", "x" * 10_000])
def test_an_unknown_field_is_ignored_and_named(server: Server, name: str) -> None:
    source = server.plant("separation", "succeeded", tracks=("vocal",))
    made = server.post("/midi/generate", {"taskId": source, name: 1})
    assert len(made["ignored"]) == 1
    assert made["ignored"][0].strip("'")[:3] == name[:3].replace("\0", "\\x")[:3]
    assert made["ignored"][0].isprintable() and len(made["ignored"][0]) < 100


def test_nothing_is_said_of_ignored_fields_where_there_are_none(server: Server) -> None:
    source = server.plant("separation", "succeeded", tracks=("vocal",))
    assert set(server.post("/midi/generate", {"taskId": source})) == {"taskId"}


def test_an_upload_may_have_fields_that_nobody_knows(server: Server, clip: Path) -> None:
    assert server.upload(clip, titel="x")["ignored"] == ["titel"]


def test_a_strict_server_refuses_unknown_fields(hosted: Server) -> None:
    answer = hosted.call("POST", "/midi/generate", json={"taskId": UNKNOWN, "callbackUrl": "https://example.com"})
    assert (answer.json()["code"], answer.json()["data"]) == (400, None)
    assert answer.json()["msg"].startswith("callbackUrl: unknown field; remove it")


def test_the_hosted_profile_says_errors_in_the_envelope_alone(hosted: Server, server: Server) -> None:
    answer = hosted.call("GET", "/midi/record-info", params={"taskId": UNKNOWN})
    assert (answer.status_code, answer.json()["code"]) == (200, 404)
    wrong = hosted.call("GET", "/generate/credit", key="ak_wrong")
    assert (wrong.status_code, wrong.json()["code"]) == (200, 401)
    assert hosted.http.get(f"{hosted.url}/files/none/x.mp3").status_code == 404
    assert server.call("GET", "/midi/record-info", params={"taskId": UNKNOWN}).status_code == 404


def test_a_result_is_a_success_but_for_the_hosted_profile(server: Server, hosted: Server, receiver: Receiver) -> None:
    task_id = server.plant("separation", "succeeded", tracks=("vocal", "instrumental"))
    server.sql(
        "INSERT INTO deliveries (webhook_id, task_id, url, host, body, state, finished_at)"
        " VALUES ('msg_x', %s, %s, 'h', '', 'stopped', now())",
        task_id,
        receiver.refusing_url,
    )
    ours, theirs = server.record("separation", task_id), hosted.record("separation", task_id)
    assert (ours["successFlag"], ours["callbackState"]) == ("SUCCESS", "stopped")
    assert (theirs["successFlag"], theirs["callbackState"]) == ("CALLBACK_EXCEPTION", "stopped")
    assert theirs["response"]["vocalUrl"]


def test_a_slash_at_the_end_is_fine(server: Server) -> None:
    assert server.call("GET", "/generate/credit/").json()["code"] == 200
    assert server.call("POST", "/midi/generate/", json={}).json()["msg"].startswith("taskId: required")
    assert server.http.get(f"{server.url}/api/v1/nothing/").status_code == 404


@pytest.mark.parametrize(("path", "code"), [("/api/v1/nothing", 404), ("/api/v1/midi/generate", 413)])
def test_a_large_body_is_read_off_before_it_is_refused(server: Server, path: str, code: int) -> None:
    """A client that still writes when the connection is closed does not see the answer."""
    address = urlsplit(server.url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=30)
    for _ in range(2):  # over the same connection: it was not closed
        connection.request("POST", path, bytes(8 * MAX_BODY_BYTES), {"Authorization": f"Bearer {server.key}"})
        answer = connection.getresponse()
        assert answer.status == code
        assert b'"code":' in answer.read().replace(b" ", b"")
    connection.close()


def test_pages_of_a_named_origin_may_call_and_of_no_other(server: Server, hosted: Server) -> None:
    asks = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"}

    def preflight(of: Server, origin: str) -> httpx.Response:
        headers = {"Origin": origin, **asks}
        return of.http.request("OPTIONS", f"{of.url}/api/v1/midi/generate", headers=headers)

    allowed = preflight(hosted, ORIGIN)
    assert allowed.headers["access-control-allow-origin"] == ORIGIN
    assert "access-control-allow-credentials" not in allowed.headers
    assert "access-control-allow-origin" not in preflight(hosted, "https://evil.example").headers
    assert "access-control-allow-origin" not in preflight(server, ORIGIN).headers
    answer = hosted.call("GET", "/generate/credit", headers={"Origin": ORIGIN})
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert "Retry-After" in answer.headers["access-control-expose-headers"]


def test_links_of_version_0_1_still_work(server: Server, clip: Path) -> None:
    uploaded = server.upload(clip, title="Ä song / of: mine")
    link = server.get("/generate/record-info", params={"taskId": uploaded["taskId"]})["response"]["sunoData"][0][
        "audioUrl"
    ]
    old, _, name = link.rpartition("/")
    assert name.endswith("origin.flac")
    assert server.http.get(link).content == server.http.get(old).content == clip.read_bytes()


def test_a_song_that_cannot_be_fetched_fails_the_task_and_says_so(server: Server, receiver: Receiver) -> None:
    body = {"audioUrl": "http://127.0.0.1:9/song.mp3", "callBackUrl": receiver.url}
    task_id = server.post("/vocal-removal/generate", body)["taskId"]
    callback = receiver.wait(task_id)[0].body
    assert callback["code"] == 500
    assert callback["msg"].startswith("audioUrl: connection refused")
    record = server.ended("separation", task_id)
    assert (record["successFlag"], record["audioId"], record["errorCode"]) == ("GENERATE_AUDIO_FAILED", "", 400)


def test_an_address_that_may_not_be_dialled_is_refused_at_once(strict_server: Server, server: Server) -> None:
    answer = strict_server.call("POST", "/mp4/generate", key=server.key, json={"audioUrl": "http://127.0.0.1/a.mp3"})
    assert (answer.status_code, answer.json()["msg"].partition(":")[0]) == (
        400,
        "audioUrl leads to 127.0.0.1, which is loopback",
    )


def test_our_own_links_need_no_exception_of_the_guard(strict_server: Server, server: Server, clip: Path) -> None:
    """strict_server may dial nothing on loopback; the link is its own, and the storage the same."""
    with clip.open("rb") as file:
        headers = {"Authorization": f"Bearer {server.key}"}
        answer = strict_server.http.post(
            f"{strict_server.url}/api/file-stream-upload", headers=headers, files={"file": file}
        )
    link = answer.json()["data"]["downloadUrl"]
    assert link.startswith(strict_server.url)
    made = strict_server.call("POST", "/mp4/generate", key=server.key, json={"audioUrl": link})
    assert succeeded(made)["taskId"]
    cut = strict_server.call("POST", "/mp4/generate", key=server.key, json={"audioUrl": link[:-80]})
    assert cut.status_code == 404


@pytest.mark.parametrize(
    ("method", "body", "code"),
    [
        ("POST", b'{"fileUrl": "http://127.0.0.1/a.mp3"}', 400),
        ("POST", b"{}", 400),
        ("POST", b"[" * 100_000, 400),
        ("POST", b" " * (MAX_BODY_BYTES + 1), 413),
        ("PUT", b"", 405),
    ],
    ids=["an address inside", "no address", "too deep", "too large", "a wrong method"],
)
def test_a_file_call_says_in_every_refusal_that_it_did_not_succeed(
    strict_server: Server, server: Server, method: str, body: bytes, code: int
) -> None:
    headers = {"Authorization": f"Bearer {server.key}", "Content-Type": "application/json"}
    answer = strict_server.http.request(
        method, f"{strict_server.url}/api/file-url-upload", headers=headers, content=body
    )
    assert (answer.status_code, answer.json()["code"], answer.json()["success"]) == (code, code, False)
    assert answer.json()["data"] is None


def test_jobs_of_the_unified_form_are_made_told_and_recorded(server: Server, receiver: Receiver, clip: Path) -> None:
    uploaded = server.upload(clip)
    inner = {"task_id": uploaded["taskId"], "audio_id": uploaded["audioId"], "stem_name": "Drums", "colour": "red"}
    job = {
        "model": "ai-music-api/separate-vocals",
        "callBackUrl": receiver.url,
        "input": {**inner, "type": "split_stem_advanced"},
    }
    made = server.post("/jobs/createTask", job)
    assert made["ignored"] == ["input.colour"]
    callback = receiver.wait(made["taskId"], seconds=120)[0].body
    assert (callback["code"], callback["data"]["state"]) == (200, "success")
    assert '"drums_url"' in callback["data"]["resultJson"]
    params = {"taskId": made["taskId"]}
    record = wait_for(lambda: server.get("/jobs/recordInfo", params=params))
    assert (record["state"], record["model"]) == ("success", job["model"])
    assert server.record("separation", made["taskId"])["response"]["drumsUrl"]
    refused = server.call("POST", "/jobs/createTask", json={"model": "ai-music-api/generate", "input": {}})
    assert refused.json()["msg"].startswith("model: expected one of ai-music-api/separate-vocals")
    wrong = server.call(
        "POST", "/jobs/createTask", json={**job, "input": {"task_id": "x", "audio_id": inner["audio_id"]}}
    )
    assert wrong.json()["msg"].startswith("input.taskId: expected a task id")
