"""Music videos: layers that stand still, and on them what moves with the sound."""

from antiphon.music.video.content import VideoContent
from antiphon.music.video.cover import check_cover
from antiphon.music.video.look import VideoLook
from antiphon.music.video.render import RenderedVideo, Still, render, still

__all__ = ["RenderedVideo", "Still", "VideoContent", "VideoLook", "check_cover", "render", "still"]
