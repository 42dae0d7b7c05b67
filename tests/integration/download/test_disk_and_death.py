"""A disk that is full, and a process that is killed: what has come is kept, and nothing else is lost."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from antiphon.download import Downloader, NoSpace
from tests.integration.download.conftest import enlarge
from tests.integration.download.origin import Asked, Origin, chunked, slow, truncated
from tests.waiting import wait_for

FETCH = """
import sys
from pathlib import Path
from antiphon.download import Downloader
Downloader(allow_private=True, reserve=0).fetch(sys.argv[1], Path(sys.argv[2]), "video", expect="video")
"""


def test_room_is_looked_for_before_anything_is_written(
    origin: Origin, downloader: Downloader, small_disk: Path
) -> None:
    with pytest.raises(NoSpace, match=r"3\.0 MB are still to come.*free some space") as caught:
        downloader.fetch(f"{origin.base}/x", small_disk, "video")
    assert caught.value.retryable
    assert list(small_disk.iterdir()) == []
    enlarge(small_disk, "16m")
    assert downloader.fetch(f"{origin.base}/x", small_disk, "video").read_bytes() == origin.data


def test_some_of_the_disk_is_left_to_others(origin: Origin, small_disk: Path) -> None:
    enlarge(small_disk, "16m")
    with pytest.raises(NoSpace, match=r"14\.0 MB of that stay in reserve"):
        Downloader(allow_private=True, reserve=14_000_000).fetch(f"{origin.base}/x", small_disk, "video")
    assert Downloader(allow_private=True, reserve=12_000_000).fetch(f"{origin.base}/x", small_disk, "video").exists()


def test_a_disk_that_fills_up_keeps_what_has_come_and_goes_on_when_there_is_room(
    origin: Origin, downloader: Downloader, small_disk: Path
) -> None:
    origin.plays = [chunked]  # nobody knows beforehand that it will not fit
    with pytest.raises(NoSpace, match="the disk is full"):
        downloader.fetch(f"{origin.base}/x", small_disk, "video")
    with pytest.raises(NoSpace, match="still to come"):
        downloader.fetch(f"{origin.base}/x", small_disk, "video")
    enlarge(small_disk, "16m")
    assert downloader.fetch(f"{origin.base}/x", small_disk, "video").read_bytes() == origin.data
    assert sorted(path.name for path in small_disk.iterdir()) == ["video.mp4"]
    assert origin.offsets()[2] == origin.offsets()[1] > 1_000_000


def test_a_killed_process_is_taken_up_where_it_was(origin: Origin, downloader: Downloader, tmp_path: Path) -> None:
    origin.data += os.urandom(17_000_000)
    origin.plays = [slow, slow]
    part = tmp_path / ".video.part"
    for round_ in (1, 2):
        process = subprocess.Popen([sys.executable, "-c", FETCH, f"{origin.base}/x", str(tmp_path)])
        wanted = round_ * 6_000_000
        wait_for(lambda wanted=wanted: part.exists() and part.stat().st_size > wanted)  # type: ignore[misc]
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert not (tmp_path / "video.mp4").exists()
    path = downloader.fetch(f"{origin.base}/x", tmp_path, "video", expect="video")
    assert path.read_bytes() == origin.data
    assert sorted(one.name for one in tmp_path.iterdir()) == ["video.mp4"]
    first, second, third = origin.offsets()
    assert (first, second > 6_000_000, third > 12_000_000) == (0, True, True)


def test_killed_between_the_last_byte_and_the_name_nothing_is_fetched_again(
    origin: Origin, downloader: Downloader, tmp_path: Path
) -> None:
    origin.plays = [truncated(1_000_000)]
    with pytest.raises(Exception, match="broke off"):
        downloader.fetch(f"{origin.base}/x", tmp_path, "video")
    part, note = tmp_path / ".video.part", tmp_path / ".video.part.json"
    part.write_bytes(origin.data)
    note.write_text(note.read_text().replace('"kept": 1000000', f'"kept": {len(origin.data)}'))
    assert downloader.fetch(f"{origin.base}/x", tmp_path, "video").read_bytes() == origin.data
    assert len(origin.asked) == 1


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells")
def test_a_large_file_needs_no_more_memory_than_a_small_one(origin: Origin, tmp_path: Path) -> None:
    size = 300_000_000
    peak = FETCH + "print(next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')))"

    def large(origin: Origin, connection: socket.socket, asked: Asked) -> None:
        connection.sendall(origin.head("200 OK", size) + origin.data)
        for _ in range(size // len(origin.data) - 1):
            connection.sendall(origin.data)

    origin.plays = [large]
    command = [sys.executable, "-c", peak, f"{origin.base}/x", str(tmp_path)]
    kilobytes = int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    assert (tmp_path / "video.mp4").stat().st_size == size
    (tmp_path / "video.mp4").unlink()
    assert kilobytes < 60_000
