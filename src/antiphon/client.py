"""A typed client of the API, ours or any other that keeps the documented contract."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self

import httpx

from antiphon.contract.kinds import Kind, SeparationType
from antiphon.errors import AntiphonError

RECORDS = {
    Kind.SEPARATION: "/vocal-removal/record-info",
    Kind.MIDI: "/midi/record-info",
    Kind.VIDEO: "/mp4/record-info",
}
PENDING = ("PENDING", 0)
CHUNK = 1 << 16


class ApiError(AntiphonError):
    """The API answered with an error."""

    def __init__(self, code: int, message: str, retry_after: float | None = None) -> None:
        super().__init__(message, retry_after=retry_after)
        self.answer_code = code


class Client:
    """Calls the API at ``base_url`` with an API key. Every method gives the envelope's ``data``.

    Raises ``ApiError`` with the answer's ``code`` in ``answer_code``.
    """

    def __init__(self, base_url: str, api_key: str, *, timeout: float = 120.0) -> None:
        self._http = httpx.Client(
            base_url=f"{base_url.rstrip('/')}/api/v1",
            headers={"Authorization": f"Bearer {api_key}"},
            timeout=timeout,
            trust_env=False,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._http.close()

    def upload(self, path: Path, **fields: str) -> dict[str, Any]:
        """Upload a song; ``fields`` are ``title``, ``author`` and ``lyrics``."""
        with path.open("rb") as file:
            return self._data(self._http.post("/audio/upload", files={"file": (path.name, file)}, data=fields))

    def separate(self, task_id: str, audio_id: str, kind: SeparationType, callback_url: str | None = None) -> str:
        """Ask for stems; gives the task's id."""
        return self._create(
            "/vocal-removal/generate",
            {"taskId": task_id, "audioId": audio_id, "type": kind, "callBackUrl": callback_url},
        )

    def midi(self, task_id: str, callback_url: str | None = None, audio_id: str | None = None) -> str:
        """Ask for the MIDI of a separation; gives the task's id."""
        return self._create("/midi/generate", {"taskId": task_id, "audioId": audio_id, "callBackUrl": callback_url})

    def video(
        self,
        task_id: str,
        audio_id: str,
        callback_url: str | None = None,
        *,
        author: str | None = None,
        domain: str | None = None,
    ) -> str:
        """Ask for a music video; gives the task's id."""
        body = {"taskId": task_id, "audioId": audio_id, "callBackUrl": callback_url}
        return self._create("/mp4/generate", {**body, "author": author, "domainName": domain})

    def record(self, kind: Kind, task_id: str) -> dict[str, Any]:
        """The record of a task."""
        return self._data(self._http.get(RECORDS[kind], params={"taskId": task_id}))

    def task(self, task_id: str) -> dict[str, Any]:
        """The task's line in the list of tasks."""
        found: dict[str, Any] = self._data(self._http.get("/tasks", params={"search": task_id}))["tasks"][0]
        return found

    def cancel(self, task_id: str) -> dict[str, Any]:
        """Cancel a queued or running task; gives the task as it is then."""
        return self._data(self._http.post(f"/tasks/{task_id}/cancel"))

    def wait(
        self,
        kind: Kind,
        task_id: str,
        *,
        deadline: float,
        every: float = 10.0,
        seen: Callable[[Mapping[str, Any]], None] = lambda record: None,
    ) -> dict[str, Any]:
        """Poll ``every`` so many seconds until the task has ended. Raises ``TimeoutError`` after ``deadline`` s."""
        end = time.monotonic() + deadline
        while True:
            record = self.record(kind, task_id)
            seen(record)
            if record["successFlag"] not in PENDING:
                return record
            if time.monotonic() + every > end:
                raise TimeoutError(f"task {task_id} has not ended within {deadline:g} s")
            time.sleep(every)

    def download(self, url: str, path: Path) -> int:
        """Save an artifact; gives its size. It appears under its name only when it is whole."""
        partial = path.with_name(path.name + ".part")
        with (
            httpx.stream("GET", url, timeout=self._http.timeout, trust_env=False) as answer,
            partial.open("wb") as file,
        ):
            answer.raise_for_status()
            for chunk in answer.iter_bytes(CHUNK):
                file.write(chunk)
        partial.replace(path)
        return path.stat().st_size

    def _create(self, path: str, body: dict[str, Any]) -> str:
        given = {name: value for name, value in body.items() if value is not None}
        return str(self._data(self._http.post(path, json=given))["taskId"])

    @staticmethod
    def _data(answer: httpx.Response) -> dict[str, Any]:
        try:
            envelope = answer.json()
        except ValueError:
            raise ApiError(answer.status_code, f"no JSON in the answer: {answer.text[:200]}") from None
        if envelope.get("code") != 200:
            wait = answer.headers.get("Retry-After")
            raise ApiError(envelope.get("code", 0), str(envelope.get("msg")), float(wait) if wait else None)
        data: dict[str, Any] = envelope["data"]
        return data
