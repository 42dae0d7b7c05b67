"""Songs as they come in: inspected, stored, and recorded as uploads; by the API for a file that was sent, by a worker
for one that a task names by its address."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

from antiphon.contract.kinds import Kind
from antiphon.contract.requests import CONTROL
from antiphon.errors import NotFound
from antiphon.tasks.engine import run_engine
from antiphon.tasks.file_names import file_name
from antiphon.tasks.model import Artifact, NewTask
from antiphon.tasks.services import Services

INSPECTION_TIMEOUT_S = 300.0
MAX_TITLE_CHARS = 200
MAX_AUTHOR_CHARS = 50
SUFFIXES = {
    "mp3": ".mp3",
    "flac": ".flac",
    "wav": ".wav",
    "ogg": ".ogg",
    "aac": ".aac",
    "aiff": ".aiff",
    "mov,mp4,m4a,3gp,3g2,mj2": ".m4a",
    "matroska,webm": ".mka",
}
"""File suffix by container, as FFmpeg calls it."""


@dataclass(frozen=True)
class Song:
    """A file that came in, not looked at yet. ``title``, ``author`` and ``lyrics`` are what its sender says of it."""

    path: Path
    filename: str = ""
    cover: Path | None = None
    title: str | None = None
    author: str | None = None
    lyrics: str | None = None


async def fetch_song(services: Services, url: str, path: Path) -> str:
    """Bring the song at ``url`` into the file ``path``; gives the name that it has there.

    A link of this server is read from the storage: nothing of ours is dialled, and the guard has no exception.

    Raises:
        BadParameter, TooLarge: It cannot be had; messages name ``audioUrl``.
        NotFound, Expired: It is a link of ours to what is gone.
    """
    link = services.own_link(url)
    if link is None:
        return (await services.fetch(url, path, field="audioUrl")).filename
    try:
        await services.storage.download(link.key, path)
    except NotFound:
        raise NotFound("audioUrl: the file was deleted; upload the song again") from None
    return link.filename


@dataclass(frozen=True)
class Inspected:
    """An upload that is ready to be recorded, and what its files are called in the storage."""

    task: NewTask
    artifacts: list[Artifact]
    files: Mapping[str, Path] = field(repr=False)


async def inspect_song(services: Services, song: Song, *, api_key_id: int, task_id: str) -> Inspected:
    """Decode the song once and look at its cover.

    Raises:
        NotAudio, TooLarge, BadParameter: It is no song that can be worked on.
    """
    async with services.inspections:  # many at once would only be slower, and want much memory
        info = await run_engine(
            "inspect",
            {
                "path": str(song.path),
                "max_duration": services.settings.max_duration,
                "cover": str(song.cover) if song.cover else None,
            },
            folder=song.path.parent,
            timeout=INSPECTION_TIMEOUT_S,
        )
    task = NewTask(
        id=task_id,
        api_key_id=api_key_id,
        kind=Kind.UPLOAD,
        audio_id=str(uuid4()),
        parameters=_describe(song, info),
    )
    files = {"origin": song.path, **({"cover": song.cover} if song.cover else {})}
    suffixes = {"origin": SUFFIXES.get(info["container"], ".audio"), "cover": ".image"}
    artifacts = [_artifact(task, name, suffixes[name], path, info) for name, path in files.items()]
    return Inspected(task, artifacts, files)


def _describe(song: Song, info: Mapping[str, Any]) -> dict[str, Any]:
    """Title and author: as given, else as the file's tags say, else from its name."""
    stem = CONTROL.sub("", Path(song.filename.replace("\\", "/")).stem).strip()
    return {
        "title": song.title or _tag(info["title"]) or stem[:MAX_TITLE_CHARS] or "Untitled",
        "author": song.author or _tag(info["artist"])[:MAX_AUTHOR_CHARS],
        "lyrics": song.lyrics,
        "duration": info["duration"],
    }


def _tag(value: str | None) -> str:
    return CONTROL.sub("", value or "").strip()[:MAX_TITLE_CHARS]


def _artifact(task: NewTask, name: str, suffix: str, path: Path, info: Mapping[str, Any]) -> Artifact:
    sound = name == "origin"
    return Artifact(
        name=name,
        key=f"{task.id}/0/{name}{suffix}",
        filename=file_name(task.parameters["title"], name, suffix),
        content_type="application/octet-stream",
        size=path.stat().st_size,
        audio_id=task.audio_id if sound else None,
        duration=round(info["duration"], 3) if sound else None,
    )


async def store_files(services: Services, task_id: str, artifacts: list[Artifact], files: Mapping[str, Path]) -> None:
    """Put the files of a task into the storage; all of them or none.

    Args:
        files: Paths by the artifact's name.

    Raises:
        StorageError: They could not be stored.
    """
    try:
        for artifact in artifacts:
            await services.storage.put_file(artifact.key, files[artifact.name], artifact.content_type)
    except BaseException:
        await services.storage.delete_prefix(task_id)
        raise
