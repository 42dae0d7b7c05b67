"""An inbox is its owner's alone: its folders 0700, its files 0600, whatever the umask and whatever was there."""

import json
import logging
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from tests.unit.receiver.sending import KEY, hand_over, midi
from tests.waiting import wait_for

from antiphon.receiver import Inbox, Receiver, Step
from antiphon.receiver.follow_up.command import ExecStep
from antiphon.receiver.follow_up.files import FilesStep
from antiphon.receiver.inbox.listing import counts

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no modes")
MP4 = b"\0\0\0\x18ftypmp42" + bytes(1000)


@pytest.fixture(autouse=True)
def no_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.fixture
def video() -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(MP4)))
            self.end_headers()
            self.wfile.write(MP4)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/v"
        server.shutdown()
        thread.join()


def modes(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)) or ".": oct(path.stat().st_mode & 0o777) for path in (folder, *folder.rglob("*"))
    }


def is_private(folder: Path) -> bool:
    return all(
        path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600) for path in (folder, *folder.rglob("*"))
    )


def test_all_that_a_receiver_makes_is_its_owners_alone(tmp_path: Path, video: str) -> None:
    from antiphon.download import Downloader

    folder = tmp_path / "deep" / "inbox"
    steps: list[Step] = [FilesStep(Downloader(allow_private=True)), ExecStep("echo heard")]
    with Receiver(folder, [KEY], steps=steps) as receiver:
        announced = json.dumps({"code": 200, "data": {"task_id": "v", "video_url": video}}).encode()
        for body in (midi("a"), announced):
            assert hand_over(receiver, body).status == 200
        wait_for(lambda: counts(folder) == {"done": 2})
        names = set(modes(folder))
        assert {"inbox.sqlite3-wal", "worker.lock", "midi/a/song.mid", "midi/a/exec.log", "video/v/video.mp4"} <= names
        assert is_private(folder), modes(folder)


def test_an_inbox_that_others_could_read_is_closed_to_them_and_that_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "inbox"
    with Inbox(folder) as inbox:
        inbox.add(midi())
    (folder / "inbox.sqlite3").chmod(0o644)
    folder.chmod(0o755)
    with caplog.at_level(logging.WARNING), Inbox(folder) as inbox:
        assert len(list(inbox.events())) == 1
        assert is_private(folder), modes(folder)
    assert "others could read callbacks" in caplog.text and "inbox.sqlite3" in caplog.text
    caplog.clear()
    with Inbox(folder):
        assert caplog.text == ""


def test_an_empty_folder_becomes_the_inboxs_own(tmp_path: Path) -> None:
    folder = tmp_path / "inbox"
    folder.mkdir(0o755)
    with Inbox(folder):
        assert is_private(folder), modes(folder)


def test_a_folder_that_holds_other_things_is_left_as_it_is_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "home"
    folder.mkdir(0o755)
    (folder / "page.html").write_text("for everybody")
    with Inbox(folder) as inbox:
        inbox.add(midi())
        assert folder.stat().st_mode & 0o777 == 0o755
        assert {path.name for path in folder.iterdir() if path.stat().st_mode & 0o077} == {"page.html"}
    assert "give it a folder of its own" in caplog.text
