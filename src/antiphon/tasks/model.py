"""Task, artifact and the legal moves between states. No I/O."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from antiphon.contract.kinds import CallbackState, Kind, State

TRANSITIONS: dict[State, frozenset[State]] = {
    # running → queued: the worker was stopped or died; running → running: another worker takes over
    State.QUEUED: frozenset({State.RUNNING, State.CANCELLED}),
    State.RUNNING: frozenset({State.RUNNING, State.QUEUED, State.SUCCEEDED, State.FAILED, State.CANCELLED}),
    State.SUCCEEDED: frozenset(),
    State.FAILED: frozenset(),
    State.CANCELLED: frozenset(),
}


def sources_of(target: State) -> list[str]:
    """The states from which ``target`` may be reached."""
    return [state for state, targets in TRANSITIONS.items() if target in targets]


@dataclass(frozen=True)
class NewTask:
    """A task that is to be made."""

    id: str
    api_key_id: int
    kind: Kind
    source_id: str | None = None
    audio_id: str | None = None
    parameters: dict[str, Any] = field(default_factory=dict)
    callback_url: str | None = None


@dataclass(frozen=True)
class Artifact:
    """A stored file. ``name`` is its role: origin, cover, a stem, midi or video."""

    name: str
    key: str
    filename: str
    content_type: str
    size: int
    audio_id: str | None = None
    duration: float | None = None


@dataclass(frozen=True)
class Task:
    """A row of the table, with the state of its newest callback."""

    id: str
    number: int
    api_key_id: int
    kind: Kind
    state: State
    stage: str
    progress: float
    source_id: str | None
    audio_id: str | None
    parameters: dict[str, Any]
    callback_url: str | None
    result: dict[str, Any] | None
    error_code: int | None
    error_message: str | None
    run: int
    cancel_requested: bool
    created_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    expires_at: datetime | None
    purged_at: datetime | None
    callback_state: CallbackState = CallbackState.NONE
    expired: bool = False
