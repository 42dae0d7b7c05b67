"""A video that was announced ends complete in the inbox, whatever breaks, or says what to do about it."""

import json
import signal
import socket
import subprocess
import sys
from pathlib import Path

from antiphon.download import Downloader
from antiphon.receiver import Receiver
from antiphon.receiver.follow_up.backoff import Backoff
from antiphon.receiver.follow_up.files import FilesStep
from antiphon.receiver.inbox.events import Scheme
from antiphon.receiver.inbox.inbox import Event, Inbox
from tests.integration.download.conftest import enlarge
from tests.integration.download.origin import Asked, Origin, answering, ranged, reset, right, slow, truncated
from tests.waiting import wait_for

KEY = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
TASK = "0123456789abcdef0123456789abcdef"

FOLLOW_UP = """
import sys, time
from antiphon.receiver import Receiver
with Receiver(sys.argv[1], [sys.argv[2]], allow_private=True):
    time.sleep(60)
"""


def announce(folder: Path, origin: Origin, scheme: Scheme = "standard") -> Event:
    data = {"task_id": TASK, "video_url": f"{origin.base}/files/song.mp4?signature=x"}
    with Inbox(folder) as inbox:
        return inbox.add(json.dumps({"code": 200, "msg": "success", "data": data}).encode(), scheme=scheme)[0]


def following(folder: Path, tries: int, reserve: int = 0) -> Receiver:
    step = FilesStep(Downloader(allow_private=True, resumes=0, stall=0.6, head=0.6, reserve=reserve), reserve=reserve)
    return Receiver(folder, [KEY], steps=[step], backoff=Backoff(first=0.02, factor=1, tries=tries, spread=0))


def test_a_download_broken_five_times_ends_byte_identical_by_itself(origin: Origin, small_disk: Path) -> None:
    """Reset, truncated, another range than asked for, 404 and back, a full disk that is freed."""
    filler = small_disk / "filler"

    def fill_the_disk(origin: Origin, connection: socket.socket, asked: Asked) -> None:
        filler.write_bytes(bytes(8_000_000))
        right(origin, connection, asked)

    enlarge(small_disk, "12m")
    origin.plays = [reset(500_000), truncated(700_000), ranged(1), answering("404 Not Found"), fill_the_disk]
    event = announce(small_disk, origin)
    with following(small_disk, tries=1000, reserve=2_000_000), Inbox(small_disk) as inbox:
        wait_for(lambda: "free some space" in inbox.work(event.id).error)
        filler.unlink()
        wait_for(lambda: inbox.work(event.id).state == "done")
        path = small_disk / inbox.work(event.id).files["video"]
    assert path.read_bytes() == origin.data
    assert path.name == "video.mp4"
    assert origin.offsets() == sorted(origin.offsets()), "it went back"
    assert origin.offsets()[-1] >= 1_100_000


def test_a_download_that_was_given_up_is_resumed_by_inbox_retry(origin: Origin, tmp_path: Path) -> None:
    origin.plays = [truncated(500_000), truncated(500_000), truncated(500_000)]
    event = announce(tmp_path, origin)
    with following(tmp_path, tries=3), Inbox(tmp_path) as inbox:
        wait_for(lambda: inbox.work(event.id).state == "failed")
        assert "broke off after 1500000 of 3000000 bytes" in inbox.work(event.id).error
        assert "antiphon inbox retry" in inbox.work(event.id).error
        command = [sys.executable, "-m", "antiphon", "inbox", "retry", "--inbox", str(tmp_path), TASK]
        subprocess.run(command, check=True, capture_output=True)
        wait_for(lambda: inbox.work(event.id).state == "done")
        assert (tmp_path / inbox.work(event.id).files["video"]).read_bytes() == origin.data
    assert origin.offsets() == [0, 500_000, 1_000_000, 1_500_000]


def test_a_receiver_killed_while_it_downloads_goes_on_where_it_was(origin: Origin, tmp_path: Path) -> None:
    origin.data += bytes(9_000_000)
    origin.plays = [slow]
    event = announce(tmp_path, origin)

    def start() -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-c", FOLLOW_UP, str(tmp_path), KEY])

    def come() -> int:
        return sum(path.stat().st_size for path in tmp_path.rglob(".video.part"))

    first = start()
    wait_for(lambda: come() > 5_000_000)
    first.send_signal(signal.SIGKILL)
    first.wait()
    second = start()
    try:
        with Inbox(tmp_path) as inbox:
            wait_for(lambda: inbox.work(event.id).state == "done")
            assert (tmp_path / inbox.work(event.id).files["video"]).read_bytes() == origin.data
    finally:
        second.terminate()
        second.wait()
    assert origin.offsets()[0] == 0 and origin.offsets()[1] > 5_000_000


def test_an_expired_link_ends_as_expired_with_the_reason(origin: Origin, tmp_path: Path) -> None:
    origin.plays = [answering("410 Gone")] * 9
    event = announce(tmp_path, origin)
    with following(tmp_path, tries=9), Inbox(tmp_path) as inbox:
        wait_for(lambda: inbox.work(event.id).state == "expired")
        assert "410" in inbox.work(event.id).error
    assert len(origin.asked) == 1


def test_a_link_whose_body_was_not_signed_does_not_reach_into_the_network(origin: Origin, tmp_path: Path) -> None:
    event = announce(tmp_path, origin, scheme="documented")
    with following(tmp_path, tries=9), Inbox(tmp_path) as inbox:
        wait_for(lambda: inbox.work(event.id).state == "failed")
        assert "loopback" in inbox.work(event.id).error and "allow the host" in inbox.work(event.id).error
    assert origin.asked == []
