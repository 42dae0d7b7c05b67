"""The database or the storage goes away and comes back; the disk is full and has space again."""

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from antiphon.client import ApiError
from antiphon.contract.kinds import Kind, SeparationType
from antiphon.database.cluster import cluster_folder
from antiphon.database.embedded import EmbeddedPostgres
from tests.acceptance.cluster import Cluster, Receiver, await_end, await_progress, command_line
from tests.waiting import wait_for

SEPARATION = Kind.SEPARATION
VOCALS = SeparationType.SEPARATE_VOCAL


@pytest.fixture
def postgres(tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    """A PostgreSQL that may be stopped, because nobody else uses it."""
    server = EmbeddedPostgres(tmp_path / "postgres", settings={"fsync": "off"})
    try:
        yield server
    finally:
        server.destroy()


def shut_down(server: EmbeddedPostgres) -> None:
    """As ``pg_ctl stop --mode fast`` does, whoever owns the server."""
    postmaster = int((cluster_folder(server.home) / "postmaster.pid").read_text().split("\n")[0])
    os.kill(postmaster, signal.SIGINT)
    wait_for(lambda: not command_line(postmaster), "PostgreSQL's end")


def test_a_restart_of_postgresql_costs_no_task_and_no_callback(
    tmp_path: Path, postgres: EmbeddedPostgres, receiver: Receiver, long_clip: Path
) -> None:
    url = postgres.start()
    with Cluster(tmp_path, url) as cluster:
        api = cluster.start("api", "sender", machine="api")
        worker = cluster.start("worker", machine="worker")
        with cluster.client() as client:
            track = client.upload(long_clip)
            task = client.separate(track["taskId"], track["audioId"], VOCALS, receiver.url)
            await_progress(client, SEPARATION, task)
            engine = worker.freeze_engine()
            shut_down(postgres)
            with pytest.raises(ApiError, match="the database does not answer") as refused:
                client.record(SEPARATION, task)
            assert refused.value.answer_code == 500
            worker.await_log("progress not noted")
            assert postgres.start() == url
            os.kill(engine, signal.SIGCONT)
            assert await_end(client, SEPARATION, task)["successFlag"] == "SUCCESS"
            again = client.separate(track["taskId"], track["audioId"], VOCALS, receiver.url)
            assert await_end(client, SEPARATION, again)["successFlag"] == "SUCCESS"
        for each in (task, again):
            assert receiver.await_callback(each, cluster.webhook_key)["code"] == 200
        assert [len(receiver.callbacks_of(each)) for each in (task, again)] == [1, 1]
        assert (api.exit_code, worker.exit_code) == (None, None)
        assert worker.log.count("task succeeded") == 2


def test_what_must_stop_while_postgresql_is_away_stops(
    tmp_path: Path, postgres: EmbeddedPostgres, receiver: Receiver, long_clip: Path
) -> None:
    with Cluster(tmp_path, postgres.start()) as cluster:
        cluster.start("api", "sender", machine="api")
        worker = cluster.start("worker", machine="worker")
        with cluster.client() as client:
            track = client.upload(long_clip)
            task = client.separate(track["taskId"], track["audioId"], VOCALS, receiver.url)
            await_progress(client, SEPARATION, task)
            worker.freeze_engine()
        shut_down(postgres)
        assert [process.stop(patience=20) for process in cluster.processes] == [0, 0]

        postgres.start()
        cluster.start("api", "sender", "worker")
        with cluster.client() as client:
            assert await_end(client, SEPARATION, task)["successFlag"] == "SUCCESS"
        assert receiver.await_callback(task, cluster.webhook_key)["code"] == 200
        assert len(receiver.callbacks_of(task)) == 1


def test_a_storage_that_is_away_when_the_work_is_done_costs_no_task(
    cluster: Cluster, receiver: Receiver, long_clip: Path
) -> None:
    worker = cluster.start("api", "sender", "worker")
    with cluster.client() as client:
        track = client.upload(long_clip)
        task = client.separate(track["taskId"], track["audioId"], VOCALS, receiver.url)
        await_progress(client, SEPARATION, task)
        engine = worker.freeze_engine()
        away = cluster.storage.rename(cluster.storage.with_name("away"))
        cluster.storage.write_text("no folder")
        os.kill(engine, signal.SIGCONT)
        worker.await_log("the storage is away; trying again")
        cluster.storage.unlink()
        away.rename(cluster.storage)
        assert await_end(client, SEPARATION, task)["successFlag"] == "SUCCESS"
    assert receiver.await_callback(task, cluster.webhook_key)["code"] == 200


@pytest.fixture
def small_disk(cluster: Cluster) -> Iterator[Path]:
    """The cluster's storage on a disk that a song fits on, but not its stems."""
    cluster.storage.mkdir()
    if os.geteuid() or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=600k", "tmpfs", cluster.storage]).returncode:
        pytest.skip("needs root for a small disk")
    yield cluster.storage
    subprocess.run(["umount", "--lazy", cluster.storage], check=True)


def test_a_full_disk_fails_the_task_in_words_and_leaves_nothing_half_stored(
    cluster: Cluster, receiver: Receiver, small_disk: Path, clip: Path, long_clip: Path
) -> None:
    cluster.start("api", "sender", "worker", outage_patience=1)
    with cluster.client() as client:
        track = client.upload(clip)
        before = cluster.stored()
        with pytest.raises(ApiError, match=r"disk .* is full: free some space") as refused:
            client.upload(long_clip)
        assert refused.value.answer_code == 500
        assert cluster.stored() == before

        task = client.separate(track["taskId"], track["audioId"], VOCALS, receiver.url)
        record = await_end(client, SEPARATION, task)
        assert record["successFlag"] == "GENERATE_AUDIO_FAILED"
        assert re.search(r"disk .* is full: free some space", record["errorMessage"])
        callback = receiver.await_callback(task, cluster.webhook_key)
        assert (callback["code"], callback["msg"]) == (500, record["errorMessage"])
        assert cluster.stored() == before

        subprocess.run(["mount", "-o", "remount,size=50m", small_disk], check=True)
        again = client.separate(track["taskId"], track["audioId"], VOCALS)
        assert await_end(client, SEPARATION, again)["successFlag"] == "SUCCESS"
    assert cluster.scratch() == []
