"""Nothing is waited for without end, and a stop ends every wait."""

import socket
import threading
import time
from pathlib import Path

import pytest

from antiphon.download import Downloader, DownloadStopped, TransferBroken
from tests.integration.download.fetching import LINK, fail, fetch, names
from tests.integration.download.origin import (
    Asked,
    Origin,
    serving,
    silent,
)


@pytest.mark.parametrize("after", [0, 100, 200_000])
def test_a_transfer_that_stalls_is_broken_off_and_resumed(
    origin: Origin, downloader: Downloader, tmp_path: Path, after: int
) -> None:
    over = threading.Event()
    origin.plays = [silent(after, over)]
    try:
        assert "stalled" in fail(downloader, origin, tmp_path).message
    finally:
        over.set()
    assert fetch(downloader, origin, tmp_path).read_bytes() == origin.data
    assert origin.offsets() == [0, after if after > 16 else 0]


def test_a_transfer_that_trickles_counts_as_stalled(origin: Origin, downloader: Downloader, tmp_path: Path) -> None:
    over = threading.Event()

    def trickle(origin: Origin, connection: socket.socket, asked: Asked) -> None:
        connection.sendall(origin.head("200 OK", len(origin.data)))
        for byte in origin.data:
            connection.sendall(bytes([byte]))
            if over.wait(0.02):
                return

    origin.plays = [trickle]
    try:
        assert "stalled" in fail(downloader, origin, tmp_path).message
    finally:
        over.set()


def test_headers_that_never_end_are_broken_off(origin: Origin, downloader: Downloader, tmp_path: Path) -> None:
    over = threading.Event()

    def trickle(origin: Origin, connection: socket.socket, asked: Asked) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n")
        while not over.wait(0.02):
            connection.sendall(b"x: y\r\n")

    origin.plays = [trickle]
    try:
        assert "the answer of 127.0.0.1 did not come in time" in fail(downloader, origin, tmp_path).message
    finally:
        over.set()


def test_a_stop_breaks_off_at_once_and_keeps_what_has_come(
    origin: Origin, downloader: Downloader, tmp_path: Path
) -> None:
    over, stop = threading.Event(), threading.Event()
    origin.plays = [silent(1_000_000, over)]
    patient = Downloader(allow_private=True, reserve=0)
    seen = threading.Timer(0.4, stop.set)
    seen.start()
    with pytest.raises(DownloadStopped):
        patient.fetch(origin.base + LINK, tmp_path, "video", stop=stop)
    over.set()
    assert names(tmp_path) == [".video.part", ".video.part.json"]
    assert fetch(downloader, origin, tmp_path).read_bytes() == origin.data
    assert origin.offsets() == [0, 1_000_000]


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_stop_does_not_wait_for_a_host_that_says_nothing(tmp_path: Path, scheme: str) -> None:
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0), backlog=0) as silent_host:
        filling = [socket.socket() for _ in range(4)] if scheme == "http" else []
        for one in filling:  # beyond these the kernel does not answer at all
            one.setblocking(False)
            one.connect_ex(silent_host.getsockname())
        threading.Timer(0.3, stop.set).start()
        start = time.monotonic()
        address = "{}:{}".format(*silent_host.getsockname())
        with pytest.raises(DownloadStopped):
            Downloader(allow_private=True).fetch(f"{scheme}://{address}/x", tmp_path, "video", stop=stop)
        assert time.monotonic() - start < 5
        for one in filling:
            one.close()


def test_a_second_address_is_tried_when_the_first_is_not_there(origin: Origin, tmp_path: Path) -> None:
    two = Downloader(allow_private=True, resolve=lambda host, port: ["::1", "127.0.0.1"])
    port = origin.base.rpartition(":")[2]
    assert two.fetch(f"http://song.example:{port}/x", tmp_path, "video").read_bytes() == origin.data


@pytest.mark.parametrize("failure", [OSError("no such name"), UnicodeError("label too long"), []])
def test_a_name_that_does_not_resolve_is_tried_again_later(tmp_path: Path, failure: Exception | list[str]) -> None:
    def resolve(host: str, port: int) -> list[str]:
        if isinstance(failure, Exception):
            raise failure
        return failure

    with pytest.raises(TransferBroken, match=r"the name song\.example does not resolve"):
        Downloader(resolve=resolve).fetch("http://song.example/x", tmp_path, "video")


def test_a_name_server_that_hangs_is_not_waited_for(tmp_path: Path) -> None:
    over = threading.Event()

    def resolve(host: str, port: int) -> list[str]:
        over.wait(20)
        return []

    with pytest.raises(TransferBroken, match=r"the address of song\.example did not come in time"):
        Downloader(resolve=resolve, connect=0.3).fetch("http://song.example/x", tmp_path, "video")
    over.set()


def test_a_host_that_is_not_there_is_tried_again_later(downloader: Downloader, tmp_path: Path) -> None:
    with serving(Origin(b"")) as base:
        pass
    with pytest.raises(TransferBroken, match="cannot be reached"):
        downloader.fetch(f"{base}/x", tmp_path, "video")
