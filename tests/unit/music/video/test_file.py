"""The MP4 as strict players and other programs see it."""

import json
import shutil
import struct
import subprocess
from io import BytesIO
from itertools import pairwise
from pathlib import Path

import pytest
from PIL import Image
from tests.unit.music.sounds import noise, save
from tests.unit.music.video import mp4

from antiphon.music.video import RenderedVideo, VideoContent, render

pytestmark = pytest.mark.slow

SECONDS = 11.3


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, RenderedVideo]:
    """A video longer than two groups of pictures, its thumbnail, and its figures."""
    folder = tmp_path_factory.mktemp("file")
    sound = save(folder / "sound.flac", noise(SECONDS), "flac")
    out, thumbnail = folder / "video.mp4", folder / "thumbnail.jpg"
    result = render(sound, out, VideoContent("Ein Lied", author="Zoë", domain="example.org"), thumbnail=thumbnail)
    return out, thumbnail, result


Made = tuple[Path, Path, RenderedVideo]


def test_the_index_comes_first_and_every_sample_lies_where_it_says(made: Made) -> None:
    read = mp4.read(made[0])
    assert read.names[0] == b"ftyp" and read.names.index(b"moov") < read.names.index(b"mdat")
    assert [track.kind for track in read.tracks] == [b"vide", b"soun"]


def test_picture_and_sound_start_at_0_and_last_as_long_as_the_song(made: Made) -> None:
    read = mp4.read(made[0])
    picture, sound = read.tracks
    assert picture.edit == pytest.approx((min(picture.shown) / picture.scale, 339 / 30), abs=0.002)
    assert sound.edit == pytest.approx((1024 / sound.scale, SECONDS), abs=0.002)
    assert read.duration == pytest.approx(SECONDS, abs=0.002)


def test_there_is_a_frame_at_every_thirtieth_of_a_second(made: Made) -> None:
    picture = mp4.read(made[0]).tracks[0]
    steps = sorted(picture.shown)
    assert len(steps) == made[2].frames == 339
    assert {after - before for before, after in pairwise(steps)} == {picture.scale // 30}


def test_one_can_start_to_play_every_few_seconds(made: Made) -> None:
    keys = mp4.read(made[0]).tracks[0].keys
    assert keys[0] == 0
    assert max(after - before for before, after in pairwise([*keys, 339])) <= 5 * 30


def test_it_is_h264_high_and_says_bt709_in_the_container_and_in_the_stream(made: Made) -> None:
    entry = mp4.read(made[0]).tracks[0].entry
    assert entry.name == b"avc1"
    configuration = entry.find("avcC").data
    assert configuration[1] == 100
    assert entry.find("colr").data[:11] == b"nclx" + struct.pack(">HHHB", 1, 1, 1, 0)
    assert mp4.read(made[0]).tracks[1].entry.name == b"mp4a"


def test_it_says_what_it_is(made: Made) -> None:
    tags = mp4.read(made[0]).tags
    assert (tags["\xa9nam"], tags["\xa9ART"]) == ("Ein Lied", "Zoë")
    assert "Antiphon" in tags["\xa9cmt"]


def test_the_thumbnail_lies_beside_it_and_in_it(made: Made) -> None:
    out, thumbnail, result = made
    data = thumbnail.read_bytes()
    assert mp4.read(out).cover == data
    with Image.open(BytesIO(data)) as picture:
        assert (picture.format, picture.mode, picture.size) == ("JPEG", "RGB", (result.width, result.height))
        assert len(set(picture.convert("L").resize((16, 9)).get_flattened_data())) > 5


@pytest.mark.skipif(not shutil.which("ffmpeg"), reason="FFmpeg's programs are not installed: apt-get install ffmpeg")
def test_another_ffmpeg_reads_it_to_the_end_without_a_complaint(made: Made) -> None:
    decode = ["ffmpeg", "-v", "error", "-xerror", "-err_detect", "explode", "-i", str(made[0]), "-f", "null", "-"]
    done = subprocess.run(decode, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    assert (done.returncode, done.stderr) == (0, "")
    expected = {
        "codec_name": "h264",
        "profile": "High",
        "pix_fmt": "yuv420p",
        "color_range": "tv",
        "color_space": "bt709",
        "color_transfer": "bt709",
        "color_primaries": "bt709",
        "start_time": "0.000000",
        "nb_frames": "339",
    }
    asked = ["-select_streams", "v:0", "-show_entries", f"stream={','.join(expected)}", "-of", "json"]
    said = subprocess.run(["ffprobe", "-v", "error", *asked, str(made[0])], capture_output=True, check=True).stdout
    assert json.loads(said)["streams"] == [expected]
