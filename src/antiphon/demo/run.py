"""The demonstration from the upload to the table at the end."""

import json
import time
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from antiphon.client import Client
from antiphon.contract.kinds import STEMS, Kind, SeparationType, record_key
from antiphon.demo.pictures import draw_piano_roll, grab_frame
from antiphon.demo.processes import DemoServer, running_processes
from antiphon.errors import AntiphonError, NotFound
from antiphon.music import weights
from antiphon.receiver.inbox.inbox import Event, Inbox
from antiphon.settings import load_settings

POLL_INTERVAL_S = 0.5
DEADLINE_S = 1800.0
CALLBACK_TIMEOUT_S = 30.0
DOMAIN = "antiphon.example"


@dataclass
class FollowedTask:
    """One of the four tasks as the demonstration follows it."""

    name: str
    kind: Kind
    task_id: str
    bar: TaskID
    seconds: float = 0.0
    record: dict[str, Any] = field(default_factory=dict)
    files: list[Path] = field(default_factory=list)

    @property
    def ended(self) -> bool:
        return bool(self.record) and self.record["taskState"] in ("succeeded", "failed", "cancelled")


def run_demo(song: Path, out: Path, console: Console | None = None) -> bool:
    """Do it all; true if every task succeeded and every callback came and was verified."""
    console = console or Console()
    if not song.is_file():
        raise NotFound(f"there is no file {song}; give a song: make demo SONG=/path/to/song.mp3")
    out.mkdir(parents=True, exist_ok=True)
    settings = load_settings()
    columns = (
        TextColumn("{task.fields[label]:<15}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
    )
    with Progress(*columns, console=console) as bars:
        fetching = bars.add_task("weights", label="weights", total=1.0)
        weights.fetch(
            settings.models_folder, lambda done, stage: bars.update(fetching, completed=done, description=stage)
        )
        bars.update(fetching, completed=1.0, description="ready")
        with running_processes(settings.models_folder) as stage, Client(stage.base_url, stage.api_key) as client:
            jobs = _DemoClient(client, stage, bars, out).run(song)
            events = _await_callbacks(stage.inbox, jobs)
    console.print(_table(jobs, events))
    console.print(f"Everything is in [bold]{out}/[/bold]")
    return all(job.record["taskState"] == "succeeded" and _acknowledged(events.get(job.task_id)) for job in jobs)


class _DemoClient:
    """The calls of a client, in the order in which results allow them."""

    def __init__(self, client: Client, stage: DemoServer, bars: Progress, out: Path) -> None:
        self._client, self._stage, self._bars, self._out = client, stage, bars, out
        self._jobs: list[FollowedTask] = []

    def run(self, song: Path) -> list[FollowedTask]:
        track = self._client.upload(song)
        task_id, audio_id, url = track["taskId"], track["audioId"], self._stage.callback_url
        vocals, stems = SeparationType.SEPARATE_VOCAL, SeparationType.SPLIT_STEM
        split = self._follow("split_stem", Kind.SEPARATION, self._client.separate(task_id, audio_id, stems, url))
        self._follow("separate_vocal", Kind.SEPARATION, self._client.separate(task_id, audio_id, vocals, url))
        self._follow("video", Kind.VIDEO, self._client.video(task_id, audio_id, url, domain=DOMAIN))
        self._until(lambda: split.ended)
        if split.record["taskState"] != "succeeded":
            raise AntiphonError(f"the separation failed: {split.record['errorMessage']}")
        self._follow("midi", Kind.MIDI, self._client.midi(split.task_id, url))
        self._until(lambda: all(job.ended for job in self._jobs))
        for job in self._jobs:
            self._save(job)
        return self._jobs

    def _follow(self, name: str, kind: Kind, task_id: str) -> FollowedTask:
        job = FollowedTask(name, kind, task_id, self._bars.add_task("queued", label=name, total=1.0))
        self._jobs.append(job)
        return job

    def _until(self, finished: Any) -> None:
        deadline = time.monotonic() + DEADLINE_S
        while not finished():
            if time.monotonic() > deadline:
                raise AntiphonError(f"the tasks have not ended within {DEADLINE_S:g} s")
            for job in self._jobs:
                if not job.ended:
                    self._poll(job)
            time.sleep(POLL_INTERVAL_S)

    def _poll(self, job: FollowedTask) -> None:
        job.record = self._client.record(job.kind, job.task_id)
        stage = job.record["stage"] or job.record["taskState"]
        self._bars.update(job.bar, completed=job.record["progress"], description=stage)
        if job.ended:
            self._bars.stop_task(job.bar)
            job.seconds = (job.record["completeTime"] - self._client.task(job.task_id)["startTime"]) / 1000

    def _save(self, job: FollowedTask) -> None:
        if job.record["taskState"] != "succeeded":
            return
        if job.kind is Kind.SEPARATION:
            self._save_stems(job)
        elif job.kind is Kind.MIDI:
            self._download(job, job.record["midiUrl"], "song.mid")
            target = self._out / "midi.json"
            target.write_text(json.dumps(job.record["midiData"], indent=1))
            job.files += [target, draw_piano_roll(self._out / "song.mid", self._out / "piano-roll.png")]
        else:
            self._download(job, job.record["response"]["videoUrl"], "video.mp4")
            job.files.append(grab_frame(self._out / "video.mp4", self._out / "video-frame.jpg"))

    def _save_stems(self, job: FollowedTask) -> None:
        folder = self._out / "stems" / job.name
        folder.mkdir(parents=True, exist_ok=True)
        for stem in STEMS[SeparationType(job.name)]:
            self._download(job, job.record["response"][record_key(stem)], f"stems/{job.name}/{stem}.flac")

    def _download(self, job: FollowedTask, url: str, name: str) -> None:
        target = self._out / name
        self._client.download(url, target)
        job.files.append(target)


def _await_callbacks(inbox: Path, jobs: list[FollowedTask]) -> dict[str, Event]:
    """The callbacks that the receiver holds, by task."""
    wanted = {job.task_id for job in jobs}
    deadline = time.monotonic() + CALLBACK_TIMEOUT_S
    while True:
        with closing(Inbox(inbox)) as opened:
            events = {event.task_id: event for event in opened.events()}
        if wanted <= set(events) or time.monotonic() > deadline:
            return events
        time.sleep(0.2)


def _acknowledged(event: Event | None) -> bool:
    return event is not None and event.code == 200 and bool(event.scheme)


def _table(jobs: list[FollowedTask], events: dict[str, Event]) -> Table:
    table = Table(title="What was made, and how it was announced", box=box.SIMPLE_HEAD)
    for column in ("task", "callback", "signature", "seconds", "files"):
        table.add_column(column, justify="right" if column == "seconds" else "left", no_wrap=column != "files")
    for job in jobs:
        event = events.get(job.task_id)
        table.add_row(
            job.name,
            str(event.code) if event else "none came",
            f"{event.scheme}, verified" if event and event.scheme else "not verified",
            f"{job.seconds:.1f}",
            "\n".join(_listing(job)),
        )
    return table


def _listing(job: FollowedTask) -> list[str]:
    if job.kind is Kind.SEPARATION and job.files:
        total = sum(path.stat().st_size for path in job.files)
        names = ", ".join(path.stem for path in job.files)
        return [f"stems/{job.name}/ ({total / 1e6:.1f} MB)", names]
    return [f"{path.name} ({_size(path)})" for path in job.files]


def _size(path: Path) -> str:
    size = path.stat().st_size
    return f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{size / 1e3:.0f} kB"
