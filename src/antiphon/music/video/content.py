"""What a music video shows beside the sound itself."""

from dataclasses import dataclass, field
from pathlib import Path

from antiphon.music.video.look import VideoLook


@dataclass(frozen=True, slots=True)
class VideoContent:
    """Words, picture and look of a video.

    Attributes:
        title: Of the song; an empty one becomes "Untitled".
        author: Shown under the title; None or empty leaves it out.
        domain: Shown at the bottom; None or empty leaves it out.
        cover: A picture's file. None: one is drawn from the title.
        lyrics: LRC, SRT, WebVTT, ASS, TTML or plain text. None: the video has no lyrics.
        look: Theme, shape, size and frame rate.
    """

    title: str
    author: str | None = None
    domain: str | None = None
    cover: Path | None = None
    lyrics: str | None = None
    look: VideoLook = field(default_factory=VideoLook)
