"""Both clients against a real server."""

import asyncio
import contextlib
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from antiphon.client import ApiError, AsyncClient, Client, NotEnded, Retries
from antiphon.contract.kinds import Kind, SeparationType
from antiphon.contract.results import MidiResult, SeparationResult, VideoResult
from antiphon.contract.signatures import headers
from antiphon.receiver import Receiver as Library
from antiphon.receiver.inbox.inbox import Inbox
from antiphon.receiver.polling import poll
from tests.integration.line import KINDS, Line
from tests.integration.recording_receiver import Receiver
from tests.integration.server import Server
from tests.waiting import wait_for

SWIFT = Retries(first=0.01)


@contextlib.contextmanager
def losing(url: str, *, answers: int) -> Iterator[str]:
    """The server behind a wire that breaks as soon as an answer comes over it, so many times."""
    target = (urlsplit(url).hostname, urlsplit(url).port)
    left = [answers]
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def carry(client: socket.socket) -> None:
            with client, socket.create_connection(target) as server:
                back = threading.Thread(target=answer, args=[client, server])
                back.start()
                with contextlib.suppress(OSError):
                    while data := client.recv(1 << 16):
                        server.sendall(data)
                back.join()

        def answer(client: socket.socket, server: socket.socket) -> None:
            with contextlib.suppress(OSError):
                while data := server.recv(1 << 16):
                    if left[0]:
                        left[0] -= 1
                        break
                    client.sendall(data)
            with contextlib.suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    threading.Thread(target=carry, args=[listener.accept()[0]]).start()

        acceptor = threading.Thread(target=accept)
        acceptor.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
        acceptor.join(10)


@pytest.mark.parametrize("polled_first", [True, False], ids=["polled first", "called first"])
def test_callback_and_polling_together_are_one_event_for_every_kind_of_task(
    server: Server, line: Line, tmp_path: Path, polled_first: bool
) -> None:
    with Inbox(tmp_path / "inbox") as inbox, Client(server.url, server.key) as client:

        def by_polling() -> list[bool]:
            done = poll(client, inbox, line.ids.values(), deadline=30, spacing=0)
            assert [(each.outcome, each.kind) for each in done] == [("succeeded", KINDS[name]) for name in line.ids]
            return [each.new for each in done]

        def by_callback() -> list[bool]:
            return [inbox.add(line.callbacks[name].raw, scheme="standard")[1] for name in line.ids]

        first, second = (by_polling, by_callback) if polled_first else (by_callback, by_polling)
        assert (first(), second()) == ([True] * 4, [False] * 4)
        events = {event.task_id: event for event in inbox.events()}
    assert {event.version for event in events.values()} == {1}
    assert {event.repeats for event in events.values()} == {1}
    assert {name: events[task_id].kind for name, task_id in line.ids.items()} == KINDS


def test_a_receiver_that_is_called_and_fed_by_polling_processes_each_task_once(
    server: Server, line: Line, tmp_path: Path
) -> None:
    processed: Counter[str] = Counter()
    receiver = Library(tmp_path / "inbox", [server.webhook_key], steps=[])

    def note(result: MidiResult | VideoResult | SeparationResult) -> None:
        processed[result.task_id] += 1

    for register in (receiver.on_midi, receiver.on_video, receiver.on_separation):
        register(note)

    def call(name: str) -> None:
        body, task_id = line.callbacks[name].raw, line.ids[name]
        signed = headers([server.webhook_key], task_id=task_id, webhook_id="msg", body=body, timestamp=int(time.time()))
        assert receiver.handle("POST", signed, body).status == 200

    with receiver, Inbox(tmp_path / "inbox") as inbox, Client(server.url, server.key) as client:
        call("midi")
        call("split_stem")
        poll(client, inbox, line.ids.values(), deadline=30, spacing=0)
        for name in line.ids:
            call(name)
        wait_for(lambda: all(inbox.work(event.id).state == "done" for event in inbox.events()))
        assert {event.repeats for event in inbox.events()} == {1, 2}
    assert processed == dict.fromkeys(line.ids.values(), 1)


@pytest.mark.parametrize("kind", ["midi", "video", "separation"])
def test_a_failed_task_that_is_polled_says_why(server: Server, tmp_path: Path, kind: str) -> None:
    task = server.plant(kind, "failed", error_code=500, error_message="the song is silent")
    with Inbox(tmp_path / "inbox") as inbox, Client(server.url, server.key) as client:
        (done,) = poll(client, inbox, [task], deadline=0, spacing=0)
        assert (done.kind, done.outcome, done.message) == (kind, "failed", "the song is silent")
        assert done.event is not None
        assert (done.event.kind, done.event.code) == (kind, 500)


def test_a_song_goes_all_the_way_through_the_asynchronous_client(
    server: Server, receiver: Receiver, clip: Path, tmp_path: Path
) -> None:
    async def run() -> None:
        async with AsyncClient(f"{server.url}/api/v1/", server.key) as client:
            track = await client.upload(clip, title="Ein Lied", lyrics="la la")
            assert (track["title"], round(track["duration"])) == ("Ein Lied", 6)
            task = await client.separate(track["taskId"], track["audioId"], SeparationType.SEPARATE_VOCAL, receiver.url)
            record = await client.wait(task, deadline=120, every=0.2)
            assert record["successFlag"] == "SUCCESS"
            assert (await client.task(task))["title"] == "Ein Lied"
            assert task in [item["taskId"] async for item in client.tasks(kind="separation", search="Ein Lied")]

            size = await client.download(record["response"]["vocalUrl"], tmp_path / "vocal.flac")
            assert (tmp_path / "vocal.flac").read_bytes()[:4] == b"fLaC"
            assert (tmp_path / "vocal.flac").stat().st_size == size > 10_000

            receiver.wait(task)
            await client.resend(task)
            first, second = receiver.wait(task, count=2)
            assert first.raw == second.raw
            deliveries = await client.callbacks(task)
            assert {delivery["webhookId"] for delivery in deliveries} == {first.headers["webhook-id"]}
            assert (await client.cancel(task))["state"] == "succeeded", "it had ended"

    asyncio.run(run())


def test_a_task_of_any_kind_is_found_by_asking_and_a_missing_one_is_missing(server: Server, line: Line) -> None:
    with Client(server.url, server.key) as client:
        for name, task_id in line.ids.items():
            assert client.look(task_id).kind == KINDS[name]
        assert client.midi_record(line.ids["midi"])["midiData"] == line.records["midi"]["midiData"]
        assert client.video_record(line.ids["video"])["response"] == line.records["video"]["response"]
        assert client.separation_record(line.ids["split_stem"])["musicId"] == line.uploaded["audioId"]
        with pytest.raises(ApiError) as missing:
            client.wait("0" * 32, deadline=10)
        assert missing.value.answer_code == 404
        pending = server.plant("midi", "queued")
        with pytest.raises(NotEnded, match="queued"):
            client.wait(pending, deadline=0.1, every=0.05)
        assert client.look(pending).retry_after == 10


def test_a_request_whose_answer_is_lost_makes_one_task(server: Server, line: Line, key: str, clip: Path) -> None:
    with losing(server.url, answers=1) as url, Client(url, key, retries=SWIFT) as client:
        track = client.upload(clip)
        assert server.get("/tasks", key=key)["tasks"][0]["taskId"] == track["taskId"]
    separation = server.plant("separation", "succeeded", key=key)
    with losing(server.url, answers=1) as url, Client(url, key, retries=SWIFT) as client:
        task = client.midi(separation)
    made = [item["taskId"] for item in server.get("/tasks", key=key)["tasks"]]
    assert sorted(made) == sorted([track["taskId"], separation, task])


def test_the_same_idempotency_key_gives_the_same_task_to_another_process(server: Server, key: str) -> None:
    separation = server.plant("separation", "succeeded", key=key)
    tasks = set()
    for _ in range(2):
        with Client(server.url, key) as client:
            tasks.add(client.midi(separation, idempotency_key="today's song"))
    assert len(tasks) == 1


def test_an_error_of_the_api_comes_with_its_code_and_words(server: Server, line: Line) -> None:
    with Client(server.url, "ak_wrong") as client, pytest.raises(ApiError, match="unknown or revoked") as refused:
        client.record(Kind.MIDI, line.ids["midi"])
    assert refused.value.answer_code == 401
