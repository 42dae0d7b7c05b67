"""What becomes of a task whose worker or engine ends before it."""

import os
import signal
import time
from pathlib import Path

import psycopg

from antiphon.contract.kinds import Kind, SeparationType
from antiphon.errors import EngineError
from tests.acceptance.cluster import Cluster, Receiver, await_end, await_progress, command_line
from tests.waiting import wait_for

SEPARATION = Kind.SEPARATION
VOCALS = SeparationType.SEPARATE_VOCAL


def test_a_task_survives_kill_9_of_its_worker_and_announces_one_success(
    cluster: Cluster, receiver: Receiver, long_clip: Path
) -> None:
    cluster.start("api", "sender")
    worker = cluster.start("worker")
    with cluster.client() as client:
        track = client.upload(long_clip)
        task = client.separate(track["taskId"], track["audioId"], VOCALS, receiver.url)
        await_progress(client, SEPARATION, task)
        engine = worker.freeze_engine()
        worker.kill()
        os.kill(engine, signal.SIGCONT)
        wait_for(lambda: "antiphon.music" not in command_line(engine), "the engine's end", seconds=5)
        assert client.record(SEPARATION, task)["taskState"] == "running", "nobody has noticed yet"

        cluster.start("worker")
        record = await_end(client, SEPARATION, task)
        assert record["successFlag"] == "SUCCESS"
        client.download(record["response"]["vocalUrl"], cluster.folder / "vocal.flac")
    assert receiver.await_callback(task, cluster.webhook_key)["code"] == 200
    assert len(receiver.callbacks_of(task)) == 1
    assert cluster.scratch() == [], "what the killed worker left is swept"


def test_a_worker_that_runs_meanwhile_takes_over_from_one_that_was_killed(
    cluster: Cluster, receiver: Receiver, long_clip: Path
) -> None:
    cluster.start("api", "sender")
    workers = [cluster.start("worker", machine=machine) for machine in ("two", "three")]
    with cluster.client() as client:
        track = client.upload(long_clip)
        task = client.separate(track["taskId"], track["audioId"], VOCALS, receiver.url)
        await_progress(client, SEPARATION, task)
        busy, other = workers if workers[0].engines() else reversed(workers)
        engine = busy.freeze_engine()
        busy.kill()
        os.kill(engine, signal.SIGCONT)
        assert await_end(client, SEPARATION, task)["successFlag"] == "SUCCESS"
    assert receiver.await_callback(task, cluster.webhook_key)["code"] == 200
    assert len(receiver.callbacks_of(task)) == 1
    assert "task succeeded" in other.log


def test_a_task_that_takes_too_many_workers_down_is_given_up(cluster: Cluster, receiver: Receiver, clip: Path) -> None:
    cluster.environment["ANTIPHON_MAX_RUNS"] = "1"
    cluster.start("api", "sender")
    worker = cluster.start("worker")
    with cluster.client() as client:
        track = client.upload(clip)
        task = client.separate(track["taskId"], track["audioId"], VOCALS, receiver.url)
        engine = worker.freeze_engine()
        worker.kill()
        os.kill(engine, signal.SIGCONT)
        cluster.start("worker")
        record = await_end(client, SEPARATION, task)
    assert record["successFlag"] == "GENERATE_AUDIO_FAILED"
    assert "given up after 1 run" in record["errorMessage"]
    assert receiver.await_callback(task)["msg"] == record["errorMessage"]


def test_a_task_whose_job_is_lost_is_queued_again(cluster: Cluster, database_url: str, clip: Path) -> None:
    cluster.start("api")
    with cluster.client() as client:
        track = client.upload(clip)
        task = client.separate(track["taskId"], track["audioId"], VOCALS)
        with psycopg.connect(database_url) as connection:
            assert connection.execute("DELETE FROM procrastinate_jobs").rowcount == 1
            connection.execute("UPDATE tasks SET created_at = now() - interval '2 minutes'")
        worker = cluster.start("worker")
        assert await_end(client, SEPARATION, task)["successFlag"] == "SUCCESS"
    assert "housekeeping failed" not in worker.log


def test_a_worker_that_is_stopped_gives_its_task_back_at_once(
    cluster: Cluster, receiver: Receiver, long_clip: Path
) -> None:
    cluster.start("api", "sender")
    worker = cluster.start("worker", machine="two")
    with cluster.client() as client:
        track = client.upload(long_clip)
        task = client.separate(track["taskId"], track["audioId"], VOCALS, receiver.url)
        await_progress(client, SEPARATION, task)
        engine = worker.freeze_engine()
        assert worker.stop(patience=20) == 0
        assert client.record(SEPARATION, task)["taskState"] == "queued"
        assert "antiphon.music" not in command_line(engine)
        assert cluster.scratch("two") == []

        cluster.start("worker", machine="three")
        assert await_end(client, SEPARATION, task)["successFlag"] == "SUCCESS"
    assert receiver.await_callback(task)["code"] == 200
    assert len(receiver.callbacks_of(task)) == 1


def test_a_killed_engine_fails_its_task_in_words_and_the_worker_goes_on(
    cluster: Cluster, receiver: Receiver, clip: Path
) -> None:
    cluster.start("api", "sender", "worker")
    server = cluster.processes[0]
    with cluster.client() as client:
        track = client.upload(clip)
        task = client.separate(track["taskId"], track["audioId"], VOCALS, receiver.url)
        os.kill(server.await_engine(), signal.SIGKILL)
        record = await_end(client, SEPARATION, task)
        assert (record["successFlag"], record["errorCode"]) == ("GENERATE_AUDIO_FAILED", EngineError.code)
        assert "memory ran out" in record["errorMessage"]
        callback = receiver.await_callback(task, cluster.webhook_key)
        assert (callback["code"], callback["msg"]) == (500, record["errorMessage"])
        assert not any(task in path for path in cluster.stored())

        again = client.separate(track["taskId"], track["audioId"], VOCALS)
        assert await_end(client, SEPARATION, again)["successFlag"] == "SUCCESS"


def test_cancelling_a_running_task_kills_its_engine_within_a_second(cluster: Cluster, long_clip: Path) -> None:
    cluster.start("api", "worker")
    server = cluster.processes[0]
    with cluster.client() as client:
        track = client.upload(long_clip)
        task = client.separate(track["taskId"], track["audioId"], VOCALS)
        await_progress(client, SEPARATION, task)
        engine = server.freeze_engine()
        asked = time.monotonic()
        answer = client.cancel(task)
        wait_for(lambda: "antiphon.music" not in command_line(engine), "the engine's end", seconds=5)
        assert time.monotonic() - asked < 1.0
        assert answer["state"] == "cancelled"
        assert cluster.stored() == {path for path in cluster.stored() if track["taskId"] in path}
