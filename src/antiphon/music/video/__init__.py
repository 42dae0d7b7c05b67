"""Music videos: a designed still picture, and on it what moves with the sound."""

from antiphon.music.video.cover import check_cover
from antiphon.music.video.look import Look
from antiphon.music.video.render import VideoResult, render

__all__ = ["Look", "VideoResult", "check_cover", "render"]
