import asyncio
import hashlib
import os
import random
import signal
import socket
import stat
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import boto3  # type: ignore[import-untyped]
import pytest

from antiphon.errors import BadParameter, NotFound, StorageError
from antiphon.storage import Storage
from tests.waiting import wait_for

AS_ROOT = os.geteuid() == 0
AUDIO = "audio/flac"
LARGE = 20_000_003


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("large") / "song.flac"
    path.write_bytes(random.Random(1).randbytes(LARGE))
    return path


@pytest.fixture(scope="module")
def s3_server() -> Iterator[str]:
    """A server that speaks S3, in a process of its own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    wait_for(lambda: answers(f"{url}/moto-api/"), "the S3 server")
    yield url
    process.kill()
    process.wait()


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url):
            return True
    except urllib.error.URLError:
        return False


@pytest.fixture
def s3_environment(s3_server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    for name, value in {
        "AWS_ENDPOINT_URL": s3_server,
        "AWS_ALLOW_HTTP": "true",
        "AWS_ACCESS_KEY_ID": "anybody",
        "AWS_SECRET_ACCESS_KEY": "anything",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    return s3_server


@pytest.fixture
def bucket(s3_environment: str) -> str:
    client = boto3.client("s3")
    name = f"bucket-{os.urandom(4).hex()}"
    client.create_bucket(Bucket=name)
    return name


@pytest.fixture(params=["folder", "s3"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    if request.param == "folder":
        return Storage.open(tmp_path / "artifacts")
    return Storage.open(f"s3://{request.getfixturevalue('bucket')}/some/prefix")


async def read(storage: Storage, key: str, start: int = 0, end: int | None = None) -> bytes:
    return b"".join([piece async for piece in storage.stream(key, start, end)])


async def test_a_large_file_comes_back_byte_for_byte(storage: Storage, large: Path, tmp_path: Path) -> None:
    before = datetime.now(UTC) - timedelta(seconds=2)
    await storage.put_file("task1/song.flac", large, AUDIO)
    stored = await storage.stat("task1/song.flac")
    assert stored.size == LARGE
    assert stored.etag
    assert before < stored.modified < datetime.now(UTC) + timedelta(seconds=2)
    await storage.download("task1/song.flac", tmp_path / "back.flac")
    assert digest(tmp_path / "back.flac") == digest(large)
    assert [path.name for path in tmp_path.glob(".back*")] == []


async def test_an_object_can_be_read_as_a_file_from_any_place(storage: Storage, large: Path) -> None:
    await storage.put_file("task/song", large, AUDIO)
    whole = large.read_bytes()
    with storage.reader("task/song") as file:
        assert file.read(10) == whole[:10]
        assert file.seek(-5, os.SEEK_END) == LARGE - 5
        assert (file.read(10), file.read(10)) == (whole[-5:], b"")
        assert file.seek(1_000_000) == file.tell() == 1_000_000
        assert file.read(1_000_000) == whole[1_000_000:2_000_000]
    with pytest.raises(NotFound):
        storage.reader("task/nothing")


async def test_any_range_of_bytes_can_be_read(storage: Storage, large: Path) -> None:
    await storage.put_file("task/song", large, AUDIO)
    whole = large.read_bytes()
    border = 4 * 1024 * 1024
    for start, end in [
        (0, 1),
        (5, 5),
        (border - 1, border + 1),
        (0, border),
        (border, LARGE),
        (LARGE - 1, LARGE),
        (LARGE - 1, LARGE + 10),
        (LARGE, LARGE + 10),
        (7, 2 * border + 7),
    ]:
        assert await read(storage, "task/song", start, end) == whole[start:end]


async def test_an_empty_object_and_a_replaced_one_are_read_as_they_are(storage: Storage) -> None:
    await storage.put_bytes("task/empty", b"", AUDIO)
    assert await read(storage, "task/empty") == b""
    await storage.put_bytes("task/empty", b"no more", AUDIO)
    assert await read(storage, "task/empty") == b"no more"


async def test_pieces_of_two_objects_are_never_mixed(storage: Storage, large: Path) -> None:
    await storage.put_file("task/song", large, AUDIO)
    stream = storage.stream("task/song")
    await anext(stream)
    await storage.put_bytes("task/song", bytes(LARGE), AUDIO)
    with pytest.raises(StorageError, match="was replaced while it was being read"):
        await anext(stream)


async def test_what_is_missing_is_not_found(storage: Storage, tmp_path: Path) -> None:
    for attempt in (storage.stat("no/thing"), read(storage, "no/thing"), storage.download("no/t", tmp_path / "x")):
        with pytest.raises(NotFound, match="there is no artifact 'no/t"):
            await attempt
    assert list(tmp_path.glob("*x*")) == []
    with pytest.raises(FileNotFoundError):
        await storage.put_file("a/b", tmp_path / "missing", AUDIO)


async def test_deleting_a_prefix_deletes_nothing_beside_it(storage: Storage) -> None:
    for key in ("task1/a", "task1/deep/b", "task10/c", "task2/d"):
        await storage.put_bytes(key, b"x", AUDIO)
    await storage.delete("task2/d")
    await storage.delete("task2/d")
    await storage.delete_prefix("task1")
    await storage.delete_prefix("task1")
    assert set(await storage.list_prefixes()) == {"task10"}
    with pytest.raises(NotFound):
        await storage.stat("task1/deep/b")


async def test_prefixes_are_listed_with_their_newest_time(storage: Storage) -> None:
    assert await storage.list_prefixes() == {}
    await storage.put_bytes("one/a", b"x", AUDIO)
    await asyncio.sleep(1.01)  # S3 counts whole seconds
    await storage.put_bytes("two/deep/b", b"x", AUDIO)
    found = await storage.list_prefixes()
    assert set(found) == {"one", "two"}
    assert found["one"] < found["two"]
    assert abs(found["two"] - datetime.now(UTC)) < timedelta(seconds=5)


async def test_the_check_of_a_good_storage_leaves_nothing_behind(storage: Storage) -> None:
    await storage.check()
    assert await storage.list_prefixes() == {}


@pytest.mark.parametrize(
    "key", ["", "/a", "a/", "a//b", "..", "a/../b", "a/.", ".hidden", "a\\b", "a\0", "a b", "é", "a#1", "a" * 513]
)
async def test_what_is_no_key_reaches_no_file(key: str, tmp_path: Path) -> None:
    storage = Storage.open(tmp_path / "artifacts")
    for attempt in (
        storage.put_bytes(key, b"", AUDIO),
        storage.stat(key),
        read(storage, key),
        storage.delete(key),
        storage.delete_prefix(key),
    ):
        with pytest.raises(BadParameter, match="is no key"):
            await attempt
    assert list(tmp_path.iterdir()) == [tmp_path / "artifacts"]


async def test_the_content_type_and_the_prefix_reach_s3(bucket: str, large: Path) -> None:
    storage = Storage.open(f"s3://{bucket}/some/prefix")
    await storage.put_file("task/song.flac", large, AUDIO)
    await storage.put_bytes("task/cover.png", b"png", "image/png")
    client = boto3.client("s3")
    assert client.head_object(Bucket=bucket, Key="some/prefix/task/song.flac")["ContentType"] == AUDIO
    assert client.head_object(Bucket=bucket, Key="some/prefix/task/cover.png")["ContentType"] == "image/png"
    assert "-" in client.head_object(Bucket=bucket, Key="some/prefix/task/song.flac")["ETag"]  # of several parts


async def test_a_folder_never_shows_half_an_object_under_its_name(tmp_path: Path, large: Path) -> None:
    storage = Storage.open(tmp_path)
    await storage.put_bytes("task/song", b"old", AUDIO)
    writing = asyncio.create_task(storage.put_file("task/song", large, AUDIO))
    sizes = set()
    while not writing.done():
        sizes.add((tmp_path / "task" / "song").stat().st_size)
        await asyncio.sleep(0)
    await writing
    sizes.add((tmp_path / "task" / "song").stat().st_size)
    assert sizes == {3, LARGE}
    assert [path.name for path in (tmp_path / "task").iterdir()] == ["song"]


WRITE_FOR_EVER = """
import asyncio, sys
from pathlib import Path
from antiphon.storage import Storage
async def main():
    storage = Storage.open(Path(sys.argv[1]))
    while True:
        await storage.put_file("task/song", Path(sys.argv[2]), "audio/flac")
        print(flush=True)
asyncio.run(main())
"""


async def test_kill_9_while_writing_leaves_a_whole_object_and_rests_that_are_swept(tmp_path: Path, large: Path) -> None:
    storage = Storage.open(tmp_path)
    for attempt in range(3):
        command = [sys.executable, "-c", WRITE_FOR_EVER, str(tmp_path), str(large)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            assert process.stdout
            process.stdout.readline()
            time.sleep(0.01 + attempt * 0.02)
            process.send_signal(signal.SIGKILL)
        assert digest(tmp_path / "task" / "song") == digest(large)
    (tmp_path / "broken" / "deep").mkdir(parents=True)
    (tmp_path / "broken" / "deep" / "song#1").write_bytes(b"rest")
    (tmp_path / "lost+found").mkdir()
    assert set(await storage.list_prefixes()) == {"task", "broken"}
    for prefix in await storage.list_prefixes():
        await storage.delete_prefix(prefix)
    assert list(tmp_path.iterdir()) == [tmp_path / "lost+found"]


def test_a_new_folder_is_its_owners_alone(tmp_path: Path) -> None:
    Storage.open(str(tmp_path / "deep" / "artifacts"))
    assert stat.S_IMODE((tmp_path / "deep" / "artifacts").stat().st_mode) == 0o700


@pytest.mark.parametrize("url", ["ftp://host/x", "s3://", "s3:///x", "http://host/x", "memory://x"])
def test_a_url_that_is_no_storage_is_refused_by_the_settings_name(url: str) -> None:
    with pytest.raises(StorageError, match="ANTIPHON_STORAGE_URL must be a folder, s3://"):
        Storage.open(url)


def test_a_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot be used"):
        Storage.open(tmp_path / "file" / "artifacts")


@pytest.mark.skipif(not AS_ROOT, reason="needs root for a small disk")
async def test_a_full_disk_is_named_and_nothing_half_stored(tmp_path: Path, large: Path) -> None:
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", tmp_path]).returncode:
        pytest.skip("cannot mount a small disk")
    try:
        storage = Storage.open(tmp_path)
        with pytest.raises(StorageError, match=r"the disk of the artifacts in .* is full"):
            await storage.put_file("task/song", large, AUDIO)
        with pytest.raises(NotFound):
            await storage.stat("task/song")
        await storage.delete_prefix("task")
        await storage.check()
    finally:
        subprocess.run(["umount", "--lazy", tmp_path], check=True)


AS_NOBODY = """
import asyncio, os, sys
from antiphon.errors import StorageError
from antiphon.storage import Storage
async def main():
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
    for work in (lambda: Storage.open("/").check(), lambda: Storage.open("/antiphon-test").check()):
        try:
            await work()
        except StorageError as error:
            print(error)
asyncio.run(main())
"""


@pytest.mark.skipif(not AS_ROOT, reason="needs root to become another user")
def test_a_folder_that_may_not_be_written_is_named() -> None:
    done = subprocess.run([sys.executable, "-c", AS_NOBODY], capture_output=True, text=True, check=True)
    first, second = done.stdout.splitlines()
    assert first.startswith("/ may not be read or written")
    assert second.startswith("/antiphon-test may not be read or written")
    assert "ANTIPHON_STORAGE_URL" in first


async def test_a_missing_bucket_is_named(s3_environment: str, large: Path) -> None:
    storage = Storage.open("s3://no-such-bucket/x")
    for attempt in (
        storage.check(),
        storage.put_file("a/b", large, AUDIO),
        storage.list_prefixes(),
        storage.delete_prefix("a"),
    ):
        with pytest.raises(StorageError, match="bucket of s3://no-such-bucket/x does not exist: create it"):
            await attempt


async def test_refused_credentials_are_named(s3_environment: str, bucket: str) -> None:
    storage = Storage.open(f"s3://{bucket}")
    check_credentials(s3_environment, "0")
    try:
        for attempt in (storage.check(), storage.stat("a/b"), storage.list_prefixes(), storage.delete_prefix("a")):
            with pytest.raises(StorageError, match="refuses our credentials: check AWS_ACCESS_KEY_ID"):
                await attempt
    finally:
        check_credentials(s3_environment, "inf")


async def test_a_server_that_is_not_there_is_reported_soon(
    s3_environment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # bound but not listening: connections are refused
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{nobody.getsockname()[1]}")
        started = time.monotonic()
        with pytest.raises(StorageError, match=r"cannot be reached: check the network and AWS_ENDPOINT_URL"):
            await Storage.open("s3://bucket").check()
        assert time.monotonic() - started < 15


def digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_credentials(server: str, after: str) -> None:
    """Tell the server to check credentials from the n-th request on."""
    urllib.request.urlopen(
        urllib.request.Request(
            f"{server}/moto-api/reset-auth", data=after.encode(), headers={"Content-Type": "text/plain"}
        )
    )
