"""Tasks: listed, watched, cancelled, announced again."""

import json
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from uuid import uuid4

from tests.integration import songs
from tests.integration.line import Line
from tests.integration.recording_receiver import Receiver
from tests.integration.server import Server, running, succeeded
from tests.waiting import wait_for


def ids(page: dict[str, Any]) -> list[str]:
    return [task["taskId"] for task in page["tasks"]]


def test_tasks_come_in_pages_newest_first(server: Server, key: str) -> None:
    planted = [server.plant("midi", "succeeded", key=key) for _ in range(5)]
    first = server.get("/tasks", key=key, params={"limit": 2})
    second = server.get("/tasks", key=key, params={"limit": 2, "cursor": first["nextCursor"]})
    server.plant("midi", "succeeded", key=key)  # what comes meanwhile displaces nothing
    third = server.get("/tasks", key=key, params={"limit": 2, "cursor": second["nextCursor"]})
    assert ids(first) + ids(second) + ids(third) == planted[::-1]
    assert third["nextCursor"] is None


def test_tasks_are_filtered_and_searched(server: Server, key: str) -> None:
    midi = server.plant("midi", "succeeded", key=key, parameters={"title": "Ave_Maria 100%"})
    video = server.plant("video", "failed", key=key, parameters={"title": "Ave Maria"})
    for filters, expected in (
        ({"kind": "midi"}, [midi]),
        ({"state": "failed"}, [video]),
        ({"kind": "midi", "state": "failed"}, []),
        ({"search": "ave"}, [video, midi]),
        ({"search": "E_M"}, [midi]),
        ({"search": "100%"}, [midi]),
        ({"search": "0%%"}, []),
        ({"search": midi[:12]}, [midi]),
        ({"search": "'; DROP TABLE tasks; --"}, []),
        ({"search": "\0"}, [video, midi]),
    ):
        assert ids(server.get("/tasks", key=key, params=filters)) == expected, filters
    assert server.call("GET", "/tasks", key=key, params={"kind": "karaoke"}).json()["code"] == 400


def test_a_queued_task_is_cancelled_at_once(server: Server, receiver: Receiver) -> None:
    task_id = server.plant("midi", "queued", callback_url=receiver.url)
    assert server.post(f"/tasks/{task_id}/cancel")["state"] == "cancelled"
    assert server.record("midi", task_id)["taskState"] == "cancelled"
    assert server.get(f"/tasks/{task_id}/callbacks") == {"deliveries": []}


def test_a_running_task_is_cancelled_within_a_second_and_sends_no_callback(
    server: Server, receiver: Receiver, tmp_path: Path
) -> None:
    uploaded = server.upload(songs.song(tmp_path / "long.mp3", seconds=29))
    body = {"taskId": uploaded["taskId"], "audioId": uploaded["audioId"], "callBackUrl": receiver.url}
    task_id = server.post("/mp4/generate", body)["taskId"]
    wait_for(lambda: server.record("video", task_id)["progress"] > 0)
    assert server.engines()
    began = time.monotonic()
    assert server.post(f"/tasks/{task_id}/cancel")["state"] == "cancelled"
    assert time.monotonic() - began < 1.5
    assert server.engines() == []
    record = server.record("video", task_id)
    assert (record["taskState"], record["successFlag"]) == ("cancelled", "GENERATE_MP4_FAILED")
    assert (record["errorCode"], record["errorMessage"]) == (499, "cancelled by its owner")
    assert server.get(f"/tasks/{task_id}/callbacks") == {"deliveries": []}
    wait_for(lambda: not server.belongings()["scratch"])
    assert not (server.storage / task_id).exists()
    assert receiver.of(task_id) == []


def test_an_ended_task_is_not_changed_by_cancelling(server: Server) -> None:
    for state in ("succeeded", "failed", "cancelled"):
        task_id = server.plant("midi", state)
        before = server.record("midi", task_id)
        assert server.post(f"/tasks/{task_id}/cancel")["state"] == state
        assert server.record("midi", task_id) == before


def test_polling_an_unfinished_task_says_when_to_come_again(server: Server) -> None:
    for kind, path, seconds in (
        ("midi", "/midi", "10"),
        ("video", "/mp4", "30"),
        ("separation", "/vocal-removal", "10"),
    ):
        for state, expected in (("queued", seconds), ("succeeded", None)):
            params = {"taskId": server.plant(kind, state)}
            answer = server.call("GET", f"{path}/record-info", params=params)
            assert answer.headers.get("Retry-After") == expected


def watched(server: Server, task_id: str) -> list[dict[str, Any]]:
    """The events of a task until the stream ends by itself."""
    headers = {"Authorization": f"Bearer {server.key}"}
    with server.http.stream("GET", f"{server.url}/api/v1/tasks/{task_id}/events", headers=headers) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines = [line for line in answer.iter_lines() if line and not line.startswith(":")]
    assert lines[::2] == ["event: task"] * (len(lines) // 2)
    return [json.loads(line.removeprefix("data: ")) for line in lines[1::2]]


def test_events_show_a_task_from_queue_to_delivered_callback(server: Server, receiver: Receiver, line: Line) -> None:
    source = {"taskId": line.uploaded["taskId"], "audioId": line.uploaded["audioId"], "callBackUrl": receiver.url}
    task_id = server.post("/mp4/generate", source)["taskId"]
    events = watched(server, task_id)
    states = list(dict.fromkeys(event["state"] for event in events))
    assert states[-2:] == ["running", "succeeded"]
    assert {event["taskId"] for event in events} == {task_id}
    progress = [event["progress"] for event in events]
    assert progress == sorted(progress)
    assert progress[-1] == 1
    assert any(0 < fraction < 1 for fraction in progress)
    assert events[-1]["callbackState"] == "delivered"


def test_events_of_an_ended_task_are_one(server: Server) -> None:
    (event,) = watched(server, server.plant("midi", "failed"))
    assert event["state"] == "failed"


def test_a_server_that_stops_ends_its_streams(server: Server, common: dict[str, str], tmp_path: Path) -> None:
    task_id = server.plant("midi", "queued")
    headers = {"Authorization": f"Bearer {server.key}"}
    with ExitStack() as life:
        other = life.enter_context(running(tmp_path / "data", "api", **common))
        with server.http.stream("GET", f"{other.url}/api/v1/tasks/{task_id}/events", headers=headers) as answer:
            lines = answer.iter_lines()
            assert next(lines) == "event: task"
            began = time.monotonic()
            life.close()
            assert [line for line in lines if line.startswith("event")] == []
            assert time.monotonic() - began < 9  # uvicorn would wait for 10 s, then break the stream off
    assert "Traceback" not in (tmp_path / "data" / "log").read_text()


def test_attempts_are_on_record_and_a_callback_can_be_sent_again(server: Server, receiver: Receiver) -> None:
    source = server.plant("separation", "succeeded", tracks=("vocal",))
    task_id = server.post("/midi/generate", {"taskId": source, "callBackUrl": receiver.url})["taskId"]
    (first,) = receiver.wait(task_id)
    wait_for(lambda: server.record("midi", task_id)["callbackState"] == "delivered")
    assert len(server.post(f"/tasks/{task_id}/callbacks/resend")["deliveries"]) == 2
    _, second = receiver.wait(task_id, count=2)
    assert second.raw == first.raw
    assert second.headers["webhook-id"] == first.headers["webhook-id"]
    wait_for(lambda: server.record("midi", task_id)["callbackState"] == "delivered")
    for delivery in server.get(f"/tasks/{task_id}/callbacks")["deliveries"]:
        assert (delivery["state"], delivery["url"], delivery["nextAttemptTime"]) == ("delivered", receiver.url, None)
        (attempt,) = delivery["attempts"]
        assert (attempt["number"], attempt["status"], attempt["error"]) == (1, 200, None)
        assert attempt["address"].startswith("127.0.0.1:")


def test_a_callback_that_nobody_took_can_be_read_about(server: Server, receiver: Receiver) -> None:
    source = server.plant("separation", "succeeded", tracks=("vocal",))
    task_id = server.post("/midi/generate", {"taskId": source, "callBackUrl": receiver.refusing_url})["taskId"]
    wait_for(lambda: server.record("midi", task_id)["callbackState"] == "stopped")
    (delivery,) = server.get(f"/tasks/{task_id}/callbacks")["deliveries"]
    assert delivery["state"] == "stopped"
    assert [attempt["number"] for attempt in delivery["attempts"]] == [1, 2, 3, 4]
    assert {attempt["status"] for attempt in delivery["attempts"]} == {503}
    assert all("503" in attempt["error"] for attempt in delivery["attempts"])


def test_a_task_without_callback_url_is_polled_only(server: Server) -> None:
    source = server.plant("separation", "succeeded", tracks=("vocal",))
    task_id = succeeded(server.call("POST", "/midi/generate", json={"taskId": source}))["taskId"]
    record = server.ended("midi", task_id)
    assert (record["callbackUrl"], record["callbackState"]) == (None, "none")


def test_midi_of_one_stem_is_its_part_of_the_midi_of_all(server: Server, line: Line) -> None:
    stems = line.records["split_stem"]["response"]["originData"]
    bass = next(stem["id"] for stem in stems if stem["stem_type_group_name"] == "Bass")
    task_id = server.post("/midi/generate", {"taskId": line.ids["split_stem"], "audioId": bass})["taskId"]
    record = server.ended("midi", task_id)
    assert record["audioId"] == bass
    whole = line.records["midi"]["midiData"]["instruments"]
    assert record["midiData"]["instruments"] == [part for part in whole if "Bass" in part["name"]] != []


def test_a_task_of_no_one_is_not_found(server: Server) -> None:
    for path in ("callbacks", "events"):
        assert server.call("GET", f"/tasks/{uuid4().hex}/{path}").json()["code"] == 404
