"""``antiphon video``: a music video without a server, or one still of it."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import click

from antiphon.commands.connect import PATH
from antiphon.commands.engines import bar, inspected, load, out_option, song_argument
from antiphon.contract.kinds import Aspect, FrameRate, VideoSound
from antiphon.errors import BadParameter, NotFound
from antiphon.text_encoding import InDoubt, decode

if TYPE_CHECKING:
    from antiphon.music.video import VideoLook

RATES = [str(rate) for rate in get_args(FrameRate)]
PICTURES = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG"}
STILL_AT_SHARE = 1 / 3
"""Of the song: where a picture is taken from if nobody says where."""


@click.command()
@song_argument
@out_option
@click.option("--title", help="default: the file's tag or name")
@click.option("--author", help="default: the file's tag")
@click.option("--domain", help="shown at the bottom")
@click.option("--cover", type=PATH, help="a picture; default: one made from the title")
@click.option("--lyrics", type=PATH, help="LRC, SRT, WebVTT, ASS, TTML or plain text")
@click.option("--theme", default="bars", metavar="NAME", help="the design: bars, circle or wave")
@click.option("--aspect", type=click.Choice(get_args(Aspect)), help="width to height; default: 16:9, or as --size says")
@click.option("--size", default="720p", metavar="720p|1080p|WxH", help="the short side in pixels, or both")
@click.option("--fps", type=click.Choice(RATES), default="30", help="frames a second")
@click.option("--audio", type=click.Choice(get_args(VideoSound)), default="auto", help="copy: keep MP3, too, as it is")
@click.option(
    "--preview",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help="only the first seconds; with --out in .png or .jpg, the picture at that second",
)
def video(
    file: Path,
    out: Path | None,
    title: str | None,
    author: str | None,
    domain: str | None,
    cover: Path | None,
    lyrics: Path | None,
    theme: str,
    aspect: str | None,
    size: str,
    fps: str,
    audio: VideoSound,
    preview: float | None,
) -> None:
    """Render a music video of FILE, or a picture from it if --out ends in .png or .jpg."""
    from antiphon.music.video import VideoContent, render, still

    settings = load()
    info = inspected(file, settings)
    target = out or file.with_name(f"{file.stem}-preview.mp4" if preview else f"{file.stem}.mp4")
    if target.suffix.lower() not in {".mp4", *PICTURES}:
        raise BadParameter(f"--out: expected a name that ends in .mp4, .png or .jpg (got {target.name!r}); rename it")
    content = VideoContent(
        title or info.title or file.stem,
        author=author or info.artist,
        domain=domain,
        cover=cover,
        lyrics=_read(lyrics) if lyrics else None,
        look=_look(theme, aspect, size, int(fps)),
    )
    if target.suffix.lower() in PICTURES:
        shown = still(file, content, at=preview or info.duration * STILL_AT_SHARE)
        shown.picture.save(target, PICTURES[target.suffix.lower()], quality=95)
        warnings = shown.warnings
    else:
        with bar(file.name) as progress:
            threads = settings.engine_threads
            made = render(file, target, content, audio_mode=audio, length=preview, threads=threads, progress=progress)
        warnings = made.warnings
    for warning in warnings:
        click.secho(f"warning: {warning}", fg="yellow", err=True)
    click.echo(target)


def _look(theme: str, aspect: str | None, size: str, fps: int) -> "VideoLook":
    """The look of that size; one in pixels says the aspect, too."""
    from antiphon.music.video.look import ASPECTS, RESOLUTIONS, VideoLook

    if size in RESOLUTIONS:
        return VideoLook(theme, aspect or "16:9", size, fps)
    looks = [VideoLook(theme, shape, short, fps) for shape in ASPECTS for short in RESOLUTIONS]
    sizes = {f"{look.width}x{look.height}": look for look in looks}
    if re.sub("[×X]", "x", size) not in sizes:
        raise BadParameter(f"--size: expected one of {', '.join([*RESOLUTIONS, *sizes])} (got {size!r})")
    look = sizes[re.sub("[×X]", "x", size)]
    if aspect not in (None, look.aspect):
        raise BadParameter(f"--aspect: {size} is {look.aspect}, not {aspect}; leave one out")
    return look


def _read(path: Path) -> str:
    try:
        return decode(path.read_bytes())
    except FileNotFoundError:
        raise NotFound(f"--lyrics: there is no file {path}") from None
    except InDoubt as error:
        raise BadParameter(f"--lyrics: it cannot be told how {path} is encoded ({error}); save it as UTF-8") from None
    except OSError as error:
        raise BadParameter(f"--lyrics: {path} cannot be read: {error.strerror}; name a text file") from None
