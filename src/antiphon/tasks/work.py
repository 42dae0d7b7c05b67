"""Work of a run, by kind of task: fetch the sources, run the engine, store the results."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import structlog

from antiphon.contract.kinds import Kind, SeparationType
from antiphon.errors import EngineError, NotFound, StorageError
from antiphon.music import separators, weights
from antiphon.tasks import store
from antiphon.tasks.engine import run_engine
from antiphon.tasks.file_names import CONTENT_TYPES, file_name
from antiphon.tasks.model import Artifact, Task
from antiphon.tasks.services import Services
from antiphon.tasks.songs import Song, fetch_song, inspect_song, store_files

log = structlog.get_logger()
STORAGE_RETRY_S = 1.0  # between tries while the storage is away

LOOK = ("theme", "aspect", "resolution", "fps")
SOURCE_GONE = "the files of the source task are gone; upload the song again"
Report = Callable[[float, str], None]


@dataclass(frozen=True)
class RunOutcome:
    """Results of a run: ``result`` goes into the task's row, ``artifacts`` are in the storage already."""

    artifacts: list[Artifact]
    result: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class TaskRun:
    """One run of one task in its own folder."""

    services: Services
    task: Task
    folder: Path
    report: Report

    async def do(self) -> RunOutcome:
        if self.task.source_id is None and self.task.parameters.get("audioUrl"):
            return await replace(self, task=await self._bring_in())._do()
        return await self._do()

    async def _bring_in(self) -> Task:
        """Fetch the song that the task names by its address and record it as an upload: the task as it is then."""
        url, path = self.task.parameters["audioUrl"], self.folder / "song"
        self.report(0.0, "fetching")
        filename = await fetch_song(self.services, url, path)
        self.report(0.0, "inspecting")
        upload = await inspect_song(
            self.services, Song(path, filename), api_key_id=self.task.api_key_id, task_id=uuid4().hex
        )
        await self._outlast(lambda: store_files(self.services, upload.task.id, upload.artifacts, upload.files))
        told = {name: upload.task.parameters[name] for name in ("title", "author", "lyrics")}
        parameters = told | {name: value for name, value in self.task.parameters.items() if value is not None}
        async with self.services.database.begin() as connection:
            await store.record_upload(connection, upload.task, upload.artifacts, self.services.retention)
            await store.adopt_source(connection, self.task, upload.task, parameters)
        return replace(self.task, source_id=upload.task.id, audio_id=upload.task.audio_id, parameters=parameters)

    async def _do(self) -> RunOutcome:
        async with self.services.database.begin() as connection:
            sources = await store.artifacts_of(connection, self.task.source_id or "")
        if not sources:
            raise EngineError(SOURCE_GONE)
        kinds = {
            Kind.SEPARATION: self._separate,
            Kind.MIDI: self._transcribe,
            Kind.VIDEO: self._render,
            Kind.WAV: self._convert,
        }
        return await kinds[self.task.kind](sources)

    async def _separate(self, sources: dict[str, Artifact]) -> RunOutcome:
        settings, origin = self.services.settings, sources["origin"]
        kind, stem = SeparationType(self.task.parameters["type"]), self.task.parameters.get("stem")
        engine = self.task.parameters.get("engine", settings.separation)
        await self._fetch_separator(engine)
        done = await self._run(
            "separate",
            source=await self._fetch(origin),
            out=str(self._new_folder("stems")),
            kind=kind,
            stem=stem,
            models=str(settings.models_folder),
            codec=settings.stem_codec,
            engine=engine,
            models_url=settings.models_url,
            threads=settings.engine_threads,
        )
        title = self.task.parameters["title"]
        artifacts = [
            await self._store(name, path, title, audio_id=str(uuid4()), duration=origin.duration)
            for name, path in done.pop("stems").items()
        ]
        return RunOutcome(artifacts, done)

    async def _transcribe(self, sources: dict[str, Artifact]) -> RunOutcome:
        stems = {name: await self._fetch(artifact) for name, artifact in sources.items()}
        chosen = self.task.audio_id
        only = next((name for name, artifact in sources.items() if chosen and artifact.audio_id == chosen), None)
        settings = self.services.settings
        if settings.ear == "basic_pitch":
            await self._fetch_weights("basic_pitch")
        if "vocal" in stems:
            await self._fetch_weights("swift_f0")
        paths = await self._run(
            "transcribe",
            stems=stems,
            only=only,
            out=str(self._new_folder("midi")),
            quantize=self.task.parameters.get("quantize"),
            ear=settings.ear,
            master_tuning=settings.midi_tuning,
            models=str(settings.models_folder),
            threads=settings.engine_threads,
        )
        midi = await self._store("midi", paths["midi"], self.task.parameters["title"])
        found = {"instruments": paths["notes"], "analysis": paths["analysis"]}
        read = {name: json.loads(made_in(self.folder, path).read_text()) for name, path in found.items()}
        return RunOutcome([midi], read | {"tuningCents": paths["tuning_cents"]})

    async def _render(self, sources: dict[str, Artifact]) -> RunOutcome:
        track = next(artifact for artifact in sources.values() if artifact.audio_id == self.task.audio_id)
        cover = sources.get("cover") or await self._cover_of_the_song()
        parameters = self.task.parameters
        video, thumbnail = self.folder / "video.mp4", self.folder / "thumbnail.jpg"
        result = await self._run(
            "render",
            audio=await self._fetch(track),
            out=str(video),
            title=parameters["title"],
            author=parameters["author"],
            domain=parameters["domainName"],
            cover=await self._fetch(cover) if cover else None,
            lyrics=parameters.get("lyrics"),
            look={name: parameters[name] for name in LOOK if name in parameters},
            audio_mode=parameters.get("audio", "auto"),
            thumbnail=str(thumbnail),
            threads=self.services.settings.engine_threads,
        )
        artifacts = [
            await self._store("video", str(video), parameters["title"], duration=result["duration"]),
            await self._store("thumbnail", str(thumbnail), parameters["title"]),
        ]
        return RunOutcome(artifacts, {"warnings": result["warnings"]})

    async def _convert(self, sources: dict[str, Artifact]) -> RunOutcome:
        track = next(artifact for artifact in sources.values() if artifact.audio_id == self.task.audio_id)
        wav = self.folder / "wav.wav"
        await self._run("convert", source=await self._fetch(track), out=str(wav))
        title = self.task.parameters["title"]
        return RunOutcome([await self._store("wav", str(wav), title, duration=track.duration)])

    async def _cover_of_the_song(self) -> Artifact | None:
        """The cover of the song that the source task was made from: stems have none of their own."""
        async with self.services.database.begin() as connection:
            source = await store.find(connection, self.task.source_id or "")
            return (await store.artifacts_of(connection, (source and source.source_id) or "")).get("cover")

    async def _run(self, engine: str, /, **arguments: Any) -> dict[str, Any]:
        # The last hundredth is for storing what was made.
        return await run_engine(
            engine,
            arguments,
            folder=self.folder,
            timeout=self.services.settings.engine_timeout,
            memory_bytes=self.services.settings.engine_memory,
            progress=lambda fraction, stage: self.report(0.99 * fraction, stage),
        )

    async def _fetch_separator(self, engine: str) -> None:
        if engine == separators.BUILTIN:
            await self._fetch_weights("spleeter")
        elif engine in separators.HTDEMUCS and not separators.is_ready(engine, self.services.settings.models_folder):
            await self._fetch_from_network(engine)

    async def _fetch_weights(self, name: weights.Name) -> None:
        if not weights.is_ready(self.services.settings.models_folder, name):
            await self._fetch_from_network(name)

    async def _fetch_from_network(self, name: str) -> None:
        """Have weights there before the engine that reads them starts: from its cage it reaches no network."""
        settings = self.services.settings
        arguments = {"models": str(settings.models_folder), "name": name, "models_url": settings.models_url}
        await run_engine("fetch", arguments, folder=None, timeout=weights.FETCH_TIMEOUT_S, caged=False)

    def _new_folder(self, name: str) -> Path:
        folder = self.folder / name
        folder.mkdir()
        return folder

    async def _fetch(self, artifact: Artifact) -> str:
        path = self.folder / f"{artifact.name}{Path(artifact.key).suffix}"
        self.report(0.0, "fetching")
        try:
            await self._outlast(lambda: self.services.storage.download(artifact.key, path))
        except NotFound:
            raise EngineError(SOURCE_GONE) from None
        return str(path)

    async def _store(
        self, name: str, path: str, title: str, *, audio_id: str | None = None, duration: float | None = None
    ) -> Artifact:
        self.report(0.99, "storing")
        made = made_in(self.folder, path)
        suffix = made.suffix
        artifact = Artifact(
            name=name,
            key=f"{self.task.id}/{self.task.run}/{name}{suffix}",
            filename=file_name(title, name, suffix),
            content_type=CONTENT_TYPES[suffix],
            size=made.stat().st_size,
            audio_id=audio_id,
            duration=duration,
        )
        await self._outlast(lambda: self.services.storage.put_file(artifact.key, made, artifact.content_type))
        return artifact

    async def _outlast(self, transfer: Callable[[], Awaitable[None]]) -> None:
        """Repeat a transfer until it passes: a storage that is away for a while must not cost the work of an hour.

        Raises:
            StorageError: It has not passed within ``ANTIPHON_OUTAGE_PATIENCE``.
        """
        deadline = asyncio.get_running_loop().time() + self.services.settings.outage_patience
        while True:
            try:
                return await transfer()
            except StorageError as error:
                if asyncio.get_running_loop().time() >= deadline:
                    raise
                log.warning("the storage is away; trying again", task=self.task.id, error=error.message)
            await asyncio.sleep(STORAGE_RETRY_S)


def made_in(folder: Path, path: str) -> Path:
    """A file that an engine says it has made in its folder. One that was taken over may name any other.

    Raises:
        EngineError: It does not lie there.
    """
    made = Path(path).resolve()
    if not made.is_relative_to(folder.resolve()):
        raise EngineError("the engine has named a file that is not its own; the task was stopped")
    return made
