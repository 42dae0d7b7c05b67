"""A song repeated to a length, as a FLAC file: ``python -m bench.repeat SONG TARGET SECONDS``.

A process of its own, because a child process begins with its parent's peak of memory on its account: the measuring
process must stay small.
"""

import sys
from pathlib import Path

from antiphon.music.audio import Writer, decode

RATE = 44_100


def main() -> None:
    song, target, seconds = Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3])
    samples = decode(song, sample_rate=RATE, channels=2)
    left = round(seconds * RATE)
    with Writer(target, RATE, 2, "flac") as writer:
        while left > 0:
            writer.write(samples[:left])
            left -= len(samples)


if __name__ == "__main__":
    main()
