"""API, sender and workers as machines of their own, which share a PostgreSQL and a storage and nothing else."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import av
import httpx
import mido
import pytest

from antiphon.contract.kinds import SPLIT_STEMS, Kind, SeparationType, record_key
from tests.acceptance.cluster import HOST, Cluster, Receiver, await_end, free_port
from tests.waiting import wait_for

BUCKET = "songs"
PRODUCED = ("vocal", "drums", "bass", "other")
LINKED = ["vocal", "drums", "bass", "fx", "other"]  # what is left over has two names


@pytest.fixture(scope="module")
def s3_url() -> Iterator[str]:
    """A server that speaks S3, in a process of its own, with a bucket."""
    port = free_port()
    command = [sys.executable, "-m", "moto.server", "-H", HOST, "-p", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"http://{HOST}:{port}"

    def answers() -> bool:
        with suppress(httpx.TransportError):
            return httpx.put(f"{url}/{BUCKET}", trust_env=False).is_success
        return False

    try:
        wait_for(answers, "the S3 server")
        yield url
    finally:
        process.kill()
        process.wait()


def test_two_workers_on_machines_of_their_own_share_the_work(cluster: Cluster, receiver: Receiver, clip: Path) -> None:
    cluster.start("api", machine="api")
    rest = [cluster.launch(role, machine=f"{role}-{number}") for role, number in
            [("sender", 1), ("worker", 1), ("worker", 2)]]  # fmt: skip
    stranger = cluster.launch("worker", machine="stranger", secret="another secret that is long enough")
    for process in rest:
        process.await_log("serving")
    with cluster.client() as client:
        track = client.upload(clip)
        tasks = [
            client.separate(track["taskId"], track["audioId"], SeparationType.SEPARATE_VOCAL, receiver.url)
            for _ in range(4)
        ]
        for task in tasks:
            record = await_end(client, Kind.SEPARATION, task)
            assert record["successFlag"] == "SUCCESS"
            assert client.download(record["response"]["vocalUrl"], cluster.folder / "vocal.flac") > 10_000
            assert receiver.await_callback(task, cluster.webhook_key)["code"] == 200
    assert all("task succeeded" in worker.log for worker in rest[1:])
    assert all(len(receiver.callbacks_of(task)) == 1 for task in tasks)

    wait_for(lambda: stranger.exit_code is not None, "the end of the worker with another secret")
    assert stranger.exit_code == 1
    assert "ANTIPHON_SECRET differs from the one this database was set up with" in stranger.log
    assert "Traceback" not in stranger.log


def test_the_whole_line_works_with_artifacts_in_s3(
    tmp_path: Path, database_url: str, s3_url: str, receiver: Receiver, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "AWS_ENDPOINT_URL": s3_url, "AWS_ALLOW_HTTP": "true", "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "someone", "AWS_SECRET_ACCESS_KEY": "something",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    with Cluster(tmp_path, database_url, storage_url=f"s3://{BUCKET}/here") as cluster:
        cluster.start("api", "sender", machine="api")
        cluster.start("worker", machine="worker")
        with cluster.client() as client:
            track = client.upload(clip)
            split = client.separate(track["taskId"], track["audioId"], SeparationType.SPLIT_STEM, receiver.url)
            video = client.video(track["taskId"], track["audioId"], receiver.url, author="Nobody")
            stems = await_end(client, Kind.SEPARATION, split)["response"]
            assert [stem for stem in SPLIT_STEMS if stems[record_key(stem)]] == LINKED
            midi = client.midi(split, receiver.url)
            midi_url = await_end(client, Kind.MIDI, midi)["midiUrl"]
            video_url = await_end(client, Kind.VIDEO, video)["response"]["videoUrl"]
        for task in (split, midi, video):
            assert receiver.await_callback(task, cluster.webhook_key)["code"] == 200
        assert download(stems["originUrl"]) == clip.read_bytes()
        for stem in PRODUCED:
            with av.open(save(stems[record_key(stem)], tmp_path / f"{stem}.flac")) as container:
                assert container.streams.audio[0].duration == 5 * 44100
        assert any(message.type == "note_on" for message in mido.MidiFile(save(midi_url, tmp_path / "song.mid")))
        with av.open(save(video_url, tmp_path / "video.mp4")) as container:
            assert (container.streams.video[0].width, container.streams.video[0].height) == (1280, 720)
        whole = (tmp_path / "video.mp4").read_bytes()
        part = httpx.get(video_url, headers={"Range": "bytes=1000-1999"}, trust_env=False)
        assert (part.status_code, part.headers["Content-Range"]) == (206, f"bytes 1000-1999/{len(whole)}")
        assert part.content == whole[1000:2000]
        assert not cluster.storage.exists(), "nothing is kept in a folder"


def download(url: str) -> bytes:
    answer = httpx.get(url, trust_env=False, timeout=30)
    assert answer.status_code == 200
    return answer.content


def save(url: str, path: Path) -> str:
    path.write_bytes(download(url))
    return os.fspath(path)
