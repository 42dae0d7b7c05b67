"""Pictures of the demonstration's results: the piano roll of the MIDI and a frame of the video."""

from pathlib import Path

import av

from antiphon.music import pianoroll
from antiphon.score import midifile

FRAME_AT_SHARE = 0.6  # of the video's duration


def draw_piano_roll(midi: Path, target: Path) -> Path:
    """Draw a Standard MIDI File as a PNG."""
    instruments = midifile.read(midi)
    duration = max((note.end for instrument in instruments for note in instrument.notes), default=1.0)
    bars = list(midifile.read_tempo_map(midi).bar_lines(duration))
    pianoroll.draw(instruments, target, duration=duration, bars=bars)
    return target


def grab_frame(video: Path, target: Path) -> Path:
    """Save one frame of the video as a picture; the suffix of ``target`` says as which kind."""
    with av.open(str(video)) as container:
        wanted = FRAME_AT_SHARE * float(container.duration or 0) / av.time_base
        container.seek(int(wanted * av.time_base))
        for frame in container.decode(video=0):
            if frame.time is not None and frame.time >= wanted:
                frame.to_image().save(target, quality=88)  # type: ignore[no-untyped-call]
                break
    return target
