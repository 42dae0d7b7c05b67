"""A video in a real browser: Chromium plays it, and what it shows and what it lets hear belong together."""

import json
import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from antiphon.music.audio import Writer
from antiphon.music.video import VideoContent, VideoLook, render

RATE = 44_100
BURST = 1.5
SECONDS = 3.0
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
DEADLINE = 90.0  # seconds
PAGE = """<!doctype html><video id="video" src="video.mp4" muted playsinline></video><script>
const video = document.getElementById("video");
const once = (name) => new Promise((done, failed) => {
  video.addEventListener(name, done, {once: true});
  video.addEventListener("error", () => failed(video.error.message), {once: true});
});
const canvas = new OffscreenCanvas(160, 160), pen = canvas.getContext("2d", {willReadFrequently: true});
async function pixels(seconds) {
  const seeked = once("seeked");
  video.currentTime = seconds;
  await seeked;
  pen.drawImage(video, 0, 0, 160, 160);
  return pen.getImageData(0, 0, 160, 160).data;
}
async function liveliestFrame() {
  let before = await pixels(36.5 / 30), most = 0, found = 0;
  for (let frame = 37; frame < 60; frame++) {
    const now = await pixels((frame + 0.5) / 30);
    let moved = 0;
    for (let i = 1; i < now.length; i += 4) moved += Math.abs(now[i] - before[i]);
    if (moved > most) [most, found] = [moved, frame];
    before = now;
  }
  return found;
}
async function firstSound() {
  const file = await (await fetch("video.mp4")).arrayBuffer();
  const heard = (await new OfflineAudioContext(1, 1, 44100).decodeAudioData(file)).getChannelData(0);
  return heard.findIndex((value) => Math.abs(value) > 0.1) / 44100;
}
(async () => {
  const said = {};
  try {
    if (video.readyState < 2) await once("loadeddata");
    Object.assign(said, {width: video.videoWidth, height: video.videoHeight, duration: video.duration});
    const ended = once("ended");
    await video.play();
    await ended;
    said.played = video.currentTime;
    said.frame = await liveliestFrame();
    said.burst = await firstSound();
  } catch (error) { said.error = String(error); }
  await fetch("said", {method: "POST", body: JSON.stringify(said)});
})();
</script>"""


@contextmanager
def page(video: Path) -> Iterator[tuple[str, "threading.Event", list[dict[str, Any]]]]:
    """Serves the page and the video on loopback; gives the address, and what the page has said once it has."""
    said: list[dict[str, Any]] = []
    done = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = {"/": PAGE.encode(), "/video.mp4": video.read_bytes()}.get(self.path, b"")
            start = int(self.headers.get("Range", "bytes=0-")[6:].partition("-")[0])  # Chromium asks for all the rest
            self.send_response(206 if start else 200)
            self.send_header("Content-Type", "video/mp4" if self.path == "/video.mp4" else "text/html")
            self.send_header("Accept-Ranges", "bytes")
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
            self.send_header("Content-Length", str(len(content) - start))
            self.end_headers()
            self.wfile.write(content[start:])

        def do_POST(self) -> None:
            said.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()
            done.set()

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/", done, said
        server.shutdown()


def in_chromium(video: Path, profile: Path) -> dict[str, Any]:
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--mute-audio"]
    flags += ["--autoplay-policy=no-user-gesture-required", f"--user-data-dir={profile}"]
    with page(video) as (url, done, said):
        browser = subprocess.Popen(
            [str(CHROMIUM), *flags, url], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        try:
            assert done.wait(DEADLINE), "Chromium has said nothing"
        finally:
            os.killpg(browser.pid, signal.SIGKILL)
            browser.wait()
    return said[0]


@pytest.mark.skipif(not CHROMIUM, reason="Chromium is not installed: apt-get install chromium")
@pytest.mark.parametrize("aspect", ["16:9", "9:16"])
def test_chromium_plays_a_video_with_picture_and_sound_at_the_same_time(tmp_path: Path, aspect: str) -> None:
    sound = np.zeros((round(SECONDS * RATE), 2), np.float32)
    burst = slice(round(BURST * RATE), round((BURST + 0.2) * RATE))
    sound[burst] = np.random.default_rng(1).uniform(-0.9, 0.9, sound[burst].shape)
    with Writer(tmp_path / "sound.mp3", RATE, 2, "mp3") as writer:
        writer.write(sound)
    look = VideoLook(aspect=aspect)
    render(tmp_path / "sound.mp3", tmp_path / "video.mp4", VideoContent("Burst", look=look))
    said = in_chromium(tmp_path / "video.mp4", tmp_path / "profile")
    assert "error" not in said
    assert (said["width"], said["height"]) == (look.width, look.height)
    assert said["duration"] == pytest.approx(SECONDS, abs=0.05)
    assert said["played"] == pytest.approx(SECONDS, abs=0.1)
    assert said["burst"] == pytest.approx(BURST, abs=0.005)
    assert abs(said["frame"] / 30 - BURST) <= 1 / 30 + 1e-9
