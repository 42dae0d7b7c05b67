"""Look of a video: theme, shape, size and frame rate."""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from antiphon.errors import BadParameter

ASPECTS = {"16:9": (16, 9), "9:16": (9, 16), "1:1": (1, 1)}
RESOLUTIONS = {"720p": 720, "1080p": 1080}
"""The length of a picture's short side in pixels."""

FRAME_RATES = (30, 60)


@cache
def themes() -> tuple[str, ...]:
    """The names of all themes: each is a folder beside this module."""
    folders = (files(__package__) / "themes").iterdir()
    return tuple(sorted(folder.name for folder in folders if (folder / "theme.json").is_file()))


@dataclass(frozen=True)
class VideoLook:
    """The choices that a request may make; the defaults are what the documented fields alone give.

    Raises:
        BadParameter: there is no such choice; the message names the field and what is there.
    """

    theme: str = "bars"
    aspect: str = "16:9"
    resolution: str = "720p"
    fps: int = 30

    def __post_init__(self) -> None:
        choices = {"theme": themes(), "aspect": ASPECTS, "resolution": RESOLUTIONS, "fps": FRAME_RATES}
        for field, known in choices.items():
            given = getattr(self, field)
            if given not in known:
                raise BadParameter(f"{field}: expected one of {', '.join(map(str, known))}, not {given!r}")

    @property
    def width(self) -> int:
        """Pixels, even."""
        across, down = ASPECTS[self.aspect]
        return RESOLUTIONS[self.resolution] * across // min(across, down)

    @property
    def height(self) -> int:
        """Pixels, even."""
        across, down = ASPECTS[self.aspect]
        return RESOLUTIONS[self.resolution] * down // min(across, down)
