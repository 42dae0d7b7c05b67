"""Every callback and record, byte for byte as clients know them, apart from ids, times, links and what was heard.

``GOLDENS=write pytest tests/integration/api/test_goldens.py`` writes them anew; read the difference before keeping it.
"""

import os
import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.integration.line import KINDS, Line
from tests.integration.recording_receiver import Receiver
from tests.integration.server import RECORDS, Server
from tests.paths import GOLDENS
from tests.waiting import wait_for

GENERATE = {"separation": "/vocal-removal", "midi": "/midi", "video": "/mp4"}
NOTES = [
    {"name": "Electric Bass (finger)", "notes": [{"pitch": 44, "start": 7.6875, "end": 7.9115, "velocity": 0.8}]},
    {"name": "Drums", "notes": [{"pitch": 36, "start": 0.0, "end": 0.1, "velocity": 1.0}]},
]
CHANGING = (
    (r"http://127\.0\.0\.1:\d+/files/[\w-]+", "<link>"),
    (r"http://127\.0\.0\.1:\d+/", "<receiver>/"),
    (r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "<audio>"),
    (r"[0-9a-f]{32}", "<task>"),
    (r"\b1[0-9]{12}\b", "<time>"),
)


def steady(raw: bytes) -> str:
    text = raw.decode()
    for pattern, name in CHANGING:
        text = re.sub(pattern, name, text)
    return text


def unheard(text: str) -> str:
    """What the transcription heard is not the contract's."""
    text = re.sub(r'"analysis":\{.*\}(?=\}\})', '"analysis":{<analysis>}', text)
    text = re.sub(r'"tuningCents":-?[0-9.]+', '"tuningCents":<cents>', text)
    return re.sub(r'"instruments":\[\{.*\}\]', '"instruments":[<instruments>]', text)


def compare(name: str, text: str) -> None:
    path = GOLDENS / f"{name}.json"
    if os.environ.get("GOLDENS") == "write":
        GOLDENS.mkdir(exist_ok=True)
        path.write_text(text)
    assert text == path.read_text()


def record(server: Server, kind: str, task_id: str) -> str:
    answer = server.call("GET", f"{RECORDS[kind]}/record-info", params={"taskId": task_id})
    assert answer.status_code == 200
    return steady(answer.content)


@pytest.mark.parametrize("name", KINDS)
def test_success_is_announced_and_recorded_as_ever(server: Server, line: Line, name: str) -> None:
    compare(f"callback-{name}-success", unheard(steady(line.callbacks[name].raw)))
    compare(f"record-{name}-success", unheard(record(server, KINDS[name], line.ids[name])))


def asking(server: Server, kind: str, url: str) -> str:
    """Ask for work on a task whose files were lost: it fails."""
    made, track = ("separation", "vocal") if kind == "midi" else ("upload", "origin")
    source = server.plant(made, "succeeded", tracks=(track,))
    body = {"taskId": source, "callBackUrl": url, "audioId": server.audio_id(source)}
    return str(server.post(f"{GENERATE[kind]}/generate", body)["taskId"])


@pytest.mark.parametrize("kind", GENERATE)
def test_failure_is_announced_and_recorded_as_ever(server: Server, receiver: Receiver, kind: str) -> None:
    task_id = asking(server, kind, receiver.url)
    (callback,) = receiver.wait(task_id)
    wait_for(lambda: server.record(kind, task_id)["callbackState"] == "delivered")
    compare(f"callback-{kind}-failure", steady(callback.raw))
    compare(f"record-{kind}-failure", record(server, kind, task_id))


@pytest.mark.parametrize("kind", GENERATE)
def test_a_callback_that_nobody_takes_is_recorded_as_ever(server: Server, receiver: Receiver, kind: str) -> None:
    task_id = asking(server, kind, receiver.refusing_url)
    receiver.wait(task_id, count=4)
    wait_for(lambda: server.record(kind, task_id)["callbackState"] == "stopped")
    compare(f"record-{kind}-callback-exception", record(server, kind, task_id))


def test_what_was_made_stays_in_the_record_when_nobody_took_the_callback(server: Server) -> None:
    task_id = server.plant(
        "video", "succeeded", tracks=("video", "thumbnail"), callback_url="https://example.com/callback"
    )
    server.sql(
        "INSERT INTO deliveries (webhook_id, task_id, url, host, body, state)"
        " VALUES ('msg_1', %s, 'https://example.com/callback', 'example.com:443', '', 'stopped')",
        task_id,
    )
    compare("record-video-success-callback-exception", record(server, "video", task_id))


@pytest.mark.parametrize("kind", GENERATE)
@pytest.mark.parametrize("state", ["pending", "cancelled"])
def test_unfinished_and_cancelled_tasks_are_recorded_as_ever(server: Server, kind: str, state: str) -> None:
    task_id = server.plant(kind, "queued", callback_url="https://example.com/callback")
    if state == "cancelled":
        server.post(f"/tasks/{task_id}/cancel")
    compare(f"record-{kind}-{state}", record(server, kind, task_id))


def test_notes_are_recorded_as_ever(server: Server) -> None:
    task_id = server.plant("midi", "succeeded", tracks=("midi",), result={"instruments": NOTES})
    compare("record-midi-notes", record(server, "midi", task_id))


def shape(value: Any) -> Any:
    """The names and types of a JSON value; a list is as its items, which are all alike."""
    if isinstance(value, dict):
        return {name: shape(item) for name, item in value.items()}
    if isinstance(value, list):
        shapes = [shape(item) for item in value]
        assert all(one == shapes[0] for one in shapes)
        return shapes[:1]
    return type(value)


@pytest.mark.parametrize("where", [lambda line: line.callbacks["midi"].body, lambda line: line.records["midi"]])
def test_what_was_heard_has_the_shape_of_the_contract(line: Line, where: Callable[[Line], Any]) -> None:
    found = where(line)
    instruments = (found.get("data") or found.get("midiData"))["instruments"]
    assert shape(instruments) == shape(NOTES)
    for instrument in instruments:
        for note in instrument["notes"]:
            assert 0 <= note["pitch"] <= 127
            assert 0 <= note["start"] < note["end"] <= 7
            assert 0 < note["velocity"] <= 1
