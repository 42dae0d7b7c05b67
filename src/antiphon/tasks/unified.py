"""Record and callback of a task that came by the unified form (``contract.unified``)."""

import json
from collections.abc import Mapping
from typing import Any

from antiphon.contract.kinds import State
from antiphon.contract.moments import milliseconds
from antiphon.contract.unified import JobRecord, job_callback, result_json, state_of
from antiphon.tasks.model import Task

PARAMETER = "job"
"""The parameter that such a task has: ``model`` and ``input``, as they came."""


def is_unified(task: Task) -> bool:
    return PARAMETER in task.parameters


def job_record(task: Task, urls: Mapping[str, str]) -> JobRecord:
    """The record. ``urls`` are the links to what was made, by artifact."""
    job = task.parameters[PARAMETER]
    done, failed = task.state is State.SUCCEEDED, task.state in (State.FAILED, State.CANCELLED)
    instruments = (task.result or {}).get("instruments")
    cost = milliseconds(task.completed_at), milliseconds(task.started_at)
    return JobRecord(
        taskId=task.id,
        model=job["model"],
        state=state_of(task.state),
        param=json.dumps(job["input"], ensure_ascii=False),
        resultJson=result_json(task.kind, urls, instruments) if done else "",
        failCode=str(task.error_code or 500) if failed else None,
        failMsg=(task.error_message or "cancelled by its owner") if failed else None,
        costTime=cost[0] - cost[1] if cost[0] is not None and cost[1] is not None else None,
        completeTime=cost[0],
        createTime=milliseconds(task.created_at) or 0,
        task_id=task.id,
        progress=round(task.progress, 4),
    )


def unified_callback(task: Task, urls: Mapping[str, str]) -> dict[str, Any]:
    """The body that announces the ended task."""
    return job_callback(job_record(task, urls))
