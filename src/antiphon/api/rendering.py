"""Records of the API made from tasks. No I/O."""

from datetime import datetime
from typing import Any

from antiphon.contract.kinds import (
    MIDI_FAILED,
    MIDI_PENDING,
    MIDI_SUCCESS,
    SPLIT_STEMS,
    STEMS,
    CallbackState,
    Kind,
    State,
    SuccessFlag,
    record_key,
)
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
    origin_data,
)
from antiphon.keys import ApiKey
from antiphon.services import Services
from antiphon.sessions import Session
from antiphon.tasks.model import Artifact, Task
from antiphon.tasks.work import content_type

CANCELLED_CODE = 499  # nginx's: the client did not want it any more


def milliseconds(moment: datetime | None) -> int | None:
    return None if moment is None else int(moment.timestamp() * 1000)


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
        "state": task.state,
        "stage": task.stage,
        "progress": round(task.progress, 4),
        "callbackState": task.callback_state,
        "expireTime": milliseconds(task.expires_at),
    }


def _flag(task: Task, failure: SuccessFlag) -> SuccessFlag:
    if not task.state.ended:
        return SuccessFlag.PENDING
    if task.callback_state is CallbackState.STOPPED:
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
        urls = {record_key(name): links.get(name) for name in {*SPLIT_STEMS, *STEMS["separate_vocal"]}}  # type: ignore[index]
        response = SeparationResponse(
            originUrl=services.link(origin, task.expires_at) if origin else "", originData=origin_data(stems), **urls
        )
    return SeparationRecord(
        **_shared(task),
        musicId=task.audio_id or "",
        response=response,
        successFlag=_flag(task, SuccessFlag.GENERATE_AUDIO_FAILED),
    )


def midi_record(services: Services, task: Task, made: dict[str, Artifact]) -> MidiRecord:
    flags = {State.SUCCEEDED: MIDI_SUCCESS, State.FAILED: MIDI_FAILED, State.CANCELLED: MIDI_FAILED}
    data = None
    if task.state is State.SUCCEEDED:
        data = {"state": "complete", "instruments": (task.result or {}).get("instruments", [])}
    elif task.state is State.FAILED:
        data = {"state": "failed", "instruments": []}
    midi = made.get("midi")
    return MidiRecord(
        **_shared(task),
        midiData=data,  # type: ignore[arg-type]
        midiUrl=services.link(midi, task.expires_at) if midi and task.expires_at else None,
        successFlag=flags.get(task.state, MIDI_PENDING),
    )


def video_record(services: Services, task: Task, made: dict[str, Artifact]) -> VideoRecord:
    links = {name: services.link(artifact, task.expires_at) for name, artifact in made.items() if task.expires_at}
    return VideoRecord(
        **_shared(task),
        musicId=task.audio_id or "",
        response=VideoResponse(videoUrl=links["video"], thumbnailUrl=links.get("thumbnail")) if links else None,
        successFlag=_flag(task, SuccessFlag.GENERATE_MP4_FAILED),
        warnings=(task.result or {}).get("warnings", []),
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
