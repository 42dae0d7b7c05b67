"""Records of the API made from tasks. No I/O."""

from datetime import datetime
from typing import Any

from antiphon.contract.kinds import (
    GROUP_NAMES,
    MIDI_FAILED,
    MIDI_PENDING,
    MIDI_SUCCESS,
    CallbackState,
    Kind,
    State,
    SuccessFlag,
    link_of,
    record_key,
)
from antiphon.contract.moments import milliseconds
from antiphon.contract.records import (
    ArtifactItem,
    MidiRecord,
    SeparationRecord,
    SeparationResponse,
    SessionRecord,
    TaskDetail,
    TaskItem,
    VideoRecord,
    VideoResponse,
    WavRecord,
    WavResponse,
    origin_data,
)
from antiphon.keys import ApiKey
from antiphon.services import Services
from antiphon.sessions import Session
from antiphon.tasks.file_names import content_type
from antiphon.tasks.model import Artifact, Task

CANCELLED_CODE = 499  # nginx's: the client did not want it any more


def _documented_and_ours(task: Task) -> dict[str, Any]:
    return {**_shared(task), "taskState": task.state}


def _of_a_track(services: Services, task: Task, failure: SuccessFlag) -> dict[str, Any]:
    audio_id = task.audio_id or ""  # a song named by its URL has none before it was fetched
    flag = _flag(services, task, failure)
    return {**_documented_and_ours(task), "audioId": audio_id, "musicId": audio_id, "successFlag": flag}


def _shared(task: Task) -> dict[str, Any]:
    cancelled = task.state is State.CANCELLED
    return {
        "taskId": task.id,
        "audioId": task.audio_id,
        "callbackUrl": task.callback_url,
        "createTime": milliseconds(task.created_at),
        "completeTime": milliseconds(task.completed_at),
        "errorCode": CANCELLED_CODE if cancelled else task.error_code,
        "errorMessage": "cancelled by its owner" if cancelled else task.error_message,
        "stage": task.stage,
        "progress": round(task.progress, 4),
        "callbackState": task.callback_state,
        "expireTime": milliseconds(task.expires_at),
    }


def _flag(services: Services, task: Task, failure: SuccessFlag) -> SuccessFlag:
    """The documented word. A result that exists is a success; the documented API hides it behind a callback that was
    given up, which only the profile ``hosted`` does here."""
    if not task.state.ended:
        return SuccessFlag.PENDING
    if task.callback_state is CallbackState.STOPPED and services.settings.profile == "hosted":
        return SuccessFlag.CALLBACK_EXCEPTION
    return SuccessFlag.SUCCESS if task.state is State.SUCCEEDED else failure


def separation_record(
    services: Services, task: Task, origin: Artifact | None, made: dict[str, Artifact]
) -> SeparationRecord:
    response = None
    if task.state is State.SUCCEEDED and task.expires_at is not None:
        links = {name: services.link(artifact, task.expires_at) for name, artifact in made.items()}
        stems = {
            name: {"id": made[name].audio_id, "url": url, "duration": made[name].duration}
            for name, url in links.items()
        }
        urls = {record_key(name): link_of(name, links) for name in GROUP_NAMES}
        response = SeparationResponse(
            id=task.audio_id,
            originUrl=services.link(origin, task.expires_at) if origin else "",
            originData=origin_data(stems),
            **urls,
        )
    result = task.result or {}
    return SeparationRecord(
        **_of_a_track(services, task, SuccessFlag.GENERATE_AUDIO_FAILED),
        response=response,
        engine=result.get("engine", task.parameters.get("engine")),
        gainDb=result.get("gain_db"),
        absentStems=result.get("absent", []),
    )


def midi_record(services: Services, task: Task, source: Task | None, made: dict[str, Artifact]) -> MidiRecord:
    """``source`` is the separation: its audio id is told where no single stem was asked for."""
    flags = {State.SUCCEEDED: MIDI_SUCCESS, State.FAILED: MIDI_FAILED, State.CANCELLED: MIDI_FAILED}
    data = None
    if task.state is State.SUCCEEDED:
        data = {"state": "complete", "instruments": (task.result or {}).get("instruments", [])}
    elif task.state is State.FAILED:
        data = {"state": "failed", "instruments": []}
    midi = made.get("midi")
    shared = _documented_and_ours(task)
    shared["audioId"] = task.audio_id or (source and source.audio_id)
    return MidiRecord(
        **shared,
        midiData=data,  # type: ignore[arg-type]
        midiUrl=services.link(midi, task.expires_at) if midi and task.expires_at else None,
        tuningCents=(task.result or {}).get("tuningCents"),
        analysis=(task.result or {}).get("analysis"),
        successFlag=flags.get(task.state, MIDI_PENDING),
    )


def video_record(services: Services, task: Task, made: dict[str, Artifact]) -> VideoRecord:
    links = {name: services.link(artifact, task.expires_at) for name, artifact in made.items() if task.expires_at}
    return VideoRecord(
        **_of_a_track(services, task, SuccessFlag.GENERATE_MP4_FAILED),
        response=VideoResponse(videoUrl=links["video"], thumbnailUrl=links.get("thumbnail")) if links else None,
        warnings=(task.result or {}).get("warnings", []),
    )


def wav_record(services: Services, task: Task, made: dict[str, Artifact]) -> WavRecord:
    wav = made.get("wav")
    return WavRecord(
        **_of_a_track(services, task, SuccessFlag.GENERATE_WAV_FAILED),
        response=WavResponse(audioWavUrl=services.link(wav, task.expires_at)) if wav and task.expires_at else None,
    )


def session_record(key: ApiKey, session: Session) -> SessionRecord:
    return SessionRecord(
        keyId=key.id, name=key.name, admin=key.admin, csrf=session.csrf, expireTime=session.expires * 1000
    )


def task_item(task: Task) -> TaskItem:
    return TaskItem(**_line(task))


def _line(task: Task) -> dict[str, Any]:
    return {
        **_shared(task),
        "state": task.state,
        "kind": Kind(task.kind),
        "sourceTaskId": task.source_id,
        "title": task.parameters.get("title"),
        "startTime": milliseconds(task.started_at),
    }


def task_detail(services: Services, task: Task, made: list[Artifact]) -> TaskDetail:
    return TaskDetail(
        **_line(task),
        parameters=task.parameters,
        warnings=(task.result or {}).get("warnings", []),
        artifacts=[artifact_item(services, artifact, task.expires_at) for artifact in made if task.expires_at],
    )


def artifact_item(services: Services, artifact: Artifact, expires: datetime) -> ArtifactItem:
    return ArtifactItem(
        name=artifact.name,
        audioId=artifact.audio_id,
        url=services.link(artifact, expires),
        filename=artifact.filename,
        contentType=content_type(artifact.filename),
        size=artifact.size,
        duration=artifact.duration,
        expireTime=milliseconds(expires) or 0,
    )
