"""Segments of a picture, encoded side by side and joined."""

import threading
import time
from collections.abc import Callable
from io import BytesIO
from itertools import pairwise

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from antiphon.music.video.ink import Canvas
from antiphon.music.video.segments import KEYFRAME_SECONDS, SEGMENT_SECONDS, Packets, Picture, Segments
from antiphon.music.video.yuv import Planes

WIDTH, HEIGHT, FPS = 64, 48, 30
PICTURE = Picture(WIDTH, HEIGHT, FPS, 20.0)
LENGTH = SEGMENT_SECONDS * FPS


def grey(canvas: Canvas, index: int) -> Planes:
    """A frame whose brightness tells its index, within 180 frames."""
    canvas.frame.y[:] = 30 + index % 180
    canvas.frame.u[:] = canvas.frame.v[:] = 128
    return canvas.frame


def segments(first: int, last: int, threads: int, paint: Callable[[Canvas, int], Planes] = grey) -> Segments:
    return Segments(PICTURE, lambda: Canvas.empty(WIDTH, HEIGHT), paint, first=first, last=last, threads=threads)


def encode(first: int, last: int, threads: int) -> list[Packets]:
    with segments(first, last, threads) as made:
        return list(made.packets(lambda share: None))


def times(packets: Packets) -> list[tuple[int, int]]:
    """When each packet is shown, and when it is decoded."""
    found = []
    for packet in packets:
        assert packet.pts is not None
        assert packet.dts is not None
        found.append((packet.pts, packet.dts))
    return found


def decode(packets: Packets) -> list[NDArray[np.uint8]]:
    """The luma planes of packets, as a player that starts with them sees them."""
    context = av.CodecContext.create("libx264", "w")
    PICTURE.configure(context)
    context.open()
    decoder = av.CodecContext.create("h264", "r")
    decoder.extradata = context.extradata
    frames = [frame for packet in [*packets, None] for frame in decoder.decode(packet)]
    return [np.asarray(frame.to_ndarray()[:HEIGHT], np.uint8) for frame in frames]


def test_joined_segments_are_one_picture_without_a_gap() -> None:
    made = encode(0, 2 * LENGTH + 7, 2)
    assert [len(segment) for segment in made] == [LENGTH, LENGTH, 7]
    packets = [packet for segment in made for packet in segment]
    shown_at, decoding = zip(*times(packets), strict=True)
    assert sorted(shown_at) == list(range(2 * LENGTH + 7))
    assert all(after > before for before, after in pairwise(decoding))
    assert all(decoded <= shown for shown, decoded in times(packets))
    shown = decode(packets)
    assert [round(float(frame.mean())) for frame in shown[LENGTH - 2 : LENGTH + 3]] == pytest.approx(
        [30 + index % 180 for index in range(LENGTH - 2, LENGTH + 3)], abs=2
    )


def test_each_segment_begins_with_a_key_frame_and_stands_alone() -> None:
    for number, segment in enumerate(encode(0, 2 * LENGTH, 2)):
        assert segment[0].is_keyframe
        keys = [shown for shown, _ in times([packet for packet in segment if packet.is_keyframe])]
        assert all(
            after - before <= KEYFRAME_SECONDS * FPS for before, after in pairwise([*keys, (number + 1) * LENGTH])
        )
        shown = decode(segment)
        assert len(shown) == LENGTH
        assert float(shown[3].mean()) == pytest.approx(30 + (number * LENGTH + 3) % 180, abs=2)


def test_threads_change_nothing_in_the_picture() -> None:
    """Frames are compared, not bytes: x264's choices vary a little from one run to the next, with one thread too."""
    one, three = ([packet for segment in encode(0, 3 * LENGTH, threads) for packet in segment] for threads in (1, 3))
    shown_by_one, shown_by_three = decode(one), decode(three)
    assert len(shown_by_one) == len(shown_by_three) == 3 * LENGTH
    for a, b in zip(shown_by_one, shown_by_three, strict=True):
        assert np.abs(a.astype(int) - b.astype(int)).max() <= 2


def test_a_piece_begins_at_time_0() -> None:
    (segment,) = encode(400, 410, 1)
    assert sorted(shown for shown, _ in times(segment)) == list(range(10))
    assert float(decode(segment)[0].mean()) == pytest.approx(30 + 400 % 180, abs=2)


def test_the_share_that_is_done_rises_to_one() -> None:
    told: list[float] = []
    with segments(0, 2 * LENGTH, 2) as made:
        list(made.packets(told.append))
    assert told == sorted(told)
    assert told[-1] == 1.0


def test_no_more_segments_are_held_than_threads_need() -> None:
    painted: list[int] = []

    def paint(canvas: Canvas, index: int) -> Planes:
        if index % LENGTH == 0:
            painted.append(index // LENGTH)
        return grey(canvas, index)

    with segments(0, 8 * LENGTH, 2, paint) as made:
        for number, _ in enumerate(made.packets(lambda share: None)):
            assert len(painted) <= number + 1 + 3


@pytest.mark.parametrize("who", ["report", "paint", "reader"])
def test_whoever_fails_stops_all_within_a_second(who: str) -> None:
    slow = threading.Event()

    def paint(canvas: Canvas, index: int) -> Planes:
        if who == "paint" and index == 40:
            raise RuntimeError("enough")
        slow.wait(0.005)
        return grey(canvas, index)

    def report(share: float) -> None:
        if who == "report" and share > 0.02:
            raise RuntimeError("enough")

    failed: list[float] = []

    def read() -> None:
        with segments(0, 6 * LENGTH, 2, paint) as made:
            try:
                for _ in made.packets(report):
                    if who == "reader":
                        raise RuntimeError("enough")
            finally:
                failed.append(time.monotonic())

    with pytest.raises(RuntimeError, match="enough"):
        read()
    assert time.monotonic() - failed[-1] < 1
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("segment")]


def test_parameter_sets_are_the_same_in_every_encoder() -> None:
    sets = set()
    for _ in range(2):
        context = av.CodecContext.create("libx264", "w")
        PICTURE.configure(context)
        context.open()
        sets.add(bytes(context.extradata or b""))
    file = BytesIO()
    with av.open(file, "w", format="mp4") as output:
        stream = output.add_stream("libx264", rate=FPS)
        PICTURE.configure(stream.codec_context)
        output.start_encoding()
        sets.add(bytes(stream.codec_context.extradata or b""))
    assert len(sets) == 1
    assert min(len(one) for one in sets) > 20
