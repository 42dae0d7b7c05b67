"""Picture and sound belong together: at the start, in between, and after ten minutes."""

from pathlib import Path

import pytest
from bench.frames import clicks, silence

from antiphon.music.video import VideoContent, VideoLook, render

pytestmark = pytest.mark.slow


def check(out: Path, at: list[float], fps: int) -> None:
    frame = 1.001 / fps
    for expected, (seen, heard) in zip(at, clicks(out, at), strict=True):
        assert heard == pytest.approx(expected, abs=0.001)
        assert seen == pytest.approx(expected, abs=frame)


@pytest.mark.parametrize("fps", [30, 60])
def test_a_click_is_seen_and_heard_within_a_frame(tmp_path: Path, fps: int) -> None:
    song, out = tmp_path / "clicks.flac", tmp_path / "video.mp4"
    silence(song, 8, [0.0, 4.5])
    render(song, out, VideoContent("Click", look=VideoLook(fps=fps)))
    check(out, [0.0, 4.5], fps)


def test_a_click_after_ten_minutes_is_seen_and_heard_within_a_frame(tmp_path: Path) -> None:
    song, out = tmp_path / "clicks.flac", tmp_path / "video.mp4"
    silence(song, 602, [600.0])
    render(song, out, VideoContent("Click"), start=599.0, length=3.0)
    check(out, [1.0], 30)
