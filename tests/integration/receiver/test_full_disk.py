"""A disk that fills up between a function's end and the note that it has ended."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from antiphon.receiver import Delivery, MidiResult, Receiver
from tests.unit.receiver.sending import KEY, hand_over, midi
from tests.waiting import wait_for


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "none", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root can mount a small disk")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_function_is_not_called_again_because_the_disk_was_full_when_it_ended(
    small_disk: Path, caplog: pytest.LogCaptureFixture
) -> None:
    called: list[str] = []
    filler = small_disk / "filler"
    receiver = Receiver(small_disk / "inbox", [KEY], steps=[])

    @receiver.on_midi
    def take(result: MidiResult, delivery: Delivery) -> None:
        called.append(result.task_id)
        if result.task_id != "first":
            return
        with filler.open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(b"x" * 1000)
            except OSError:
                pass

    with receiver:
        assert hand_over(receiver, midi("first")).status == 200
        wait_for(lambda: "cannot be recorded" in caplog.text)
        assert hand_over(receiver, midi("second")).status == 503
        filler.unlink()
        wait_for(lambda: receiver.inbox.work(1).state == "done")
        assert hand_over(receiver, midi("second")).status == 200
        wait_for(lambda: called == ["first", "second"])
