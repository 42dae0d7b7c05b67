"""Windows and queues of streamed signals."""

import numpy as np
import pytest

from antiphon.music.signal.framing import Fifo, Framer

SIGNAL = np.arange(1, 101, dtype=np.float32)


def test_a_window_begins_every_hop_after_the_zeros_that_lead() -> None:
    windows = Framer(8, 5, lead=4).push(SIGNAL)
    assert windows[0].tolist() == [0, 0, 0, 0, 1, 2, 3, 4]
    assert windows[1].tolist() == [2, 3, 4, 5, 6, 7, 8, 9]
    assert len(windows) == (4 + 100 - 8) // 5 + 1


@pytest.mark.parametrize("size", [1, 3, 7, 8, 64])
@pytest.mark.parametrize("hop", [3, 7, 8])
def test_windows_do_not_depend_on_the_blocks_they_come_in(size: int, hop: int) -> None:
    whole = Framer(8, hop, lead=2).push(SIGNAL)
    framer = Framer(8, hop, lead=2)
    parts = [framer.push(SIGNAL[at : at + size]) for at in range(0, len(SIGNAL), size)]
    assert np.array_equal(np.concatenate(parts), whole)


@pytest.mark.parametrize("hop", [0, 9])
def test_windows_with_gaps_between_them_are_refused(hop: int) -> None:
    with pytest.raises(ValueError, match=f"a hop of 1 to 8 samples, got {hop}"):
        Framer(8, hop, lead=0)


def test_channels_stand_before_the_samples_of_a_window() -> None:
    both = np.stack([SIGNAL, -SIGNAL], axis=1)
    framer = Framer(8, 4, lead=0, channels=2)
    assert framer.push(both[:7]).shape == (0, 2, 8)
    windows = framer.push(both[7:])
    assert windows.shape == (24, 2, 8)
    assert windows[1, 0].tolist() == [5, 6, 7, 8, 9, 10, 11, 12]
    assert np.array_equal(windows[:, 1], -windows[:, 0])


def test_a_queue_gives_the_oldest_samples_first_and_no_more_than_it_has() -> None:
    queue = Fifo(1)
    queue.push(SIGNAL[:3, None])
    queue.push(SIGNAL[3:5, None])
    assert queue.length == 5
    assert queue.take(4)[:, 0].tolist() == [1, 2, 3, 4]
    assert queue.length == 1
    assert queue.take(4)[:, 0].tolist() == [5]
    assert queue.take(4).shape == (0, 1)
