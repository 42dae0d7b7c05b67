"""An API that answers by a script, and both clients, of which each test sees the same."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import httpx

from antiphon.client import AsyncClient, Client, Retries

TASK = "5c79be8e5c7f4bb0a3f7a1a2b3c4d5e6"
Answer = httpx.Response | Exception


def success(data: Any, **headers: str) -> httpx.Response:
    return httpx.Response(200, json={"code": 200, "msg": "success", "data": data}, headers=headers)


def refusal(code: int, msg: str = "no", *, status: int | None = None, **headers: str) -> httpx.Response:
    body = {"code": code, "msg": msg, "data": None}
    return httpx.Response(status or code, json=body, headers={n.replace("_", "-"): v for n, v in headers.items()})


class Api:
    """Gives its answers in turn, the last one for ever; an exception is raised in place of an answer."""

    def __init__(self, *answers: Answer, by_path: dict[str, Callable[[], Answer]] | None = None) -> None:
        self._answers = list(answers)
        self._by_path = by_path or {}
        self.requests: list[httpx.Request] = []
        self.pauses: list[float] = []
        self.now = 1000.0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.requests.append(request)
        answer = next((give() for path, give in self._by_path.items() if request.url.path.endswith(path)), None)
        if answer is None:
            answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        # A response is read once, so each gets one of its own.
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)

    async def answer(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        return self(request)

    @property
    def calls(self) -> list[str]:
        return [f"{request.method} {request.url.raw_path.decode()}" for request in self.requests]

    def body(self, number: int = -1) -> Any:
        return json.loads(self.requests[number].content)

    def header(self, name: str) -> list[str | None]:
        return [request.headers.get(name) for request in self.requests]

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds

    def clock(self) -> float:
        return self.now


class Blocking:
    """``Client``, called by the name of a method."""

    def __init__(self, api: Api, base_url: str, retries: Retries | None) -> None:
        self._client = Client(
            base_url,
            "ak_secret",
            retries=retries,
            transport=httpx.MockTransport(api),
            clock=api.clock,
            sleep=api.sleep,
        )

    def __call__(self, method: str, *given: Any, **named: Any) -> Any:
        result = getattr(self._client, method)(*given, **named)
        return list(result) if isinstance(result, Iterator) else result

    def close(self) -> None:
        self._client.close()


class OnALoop:
    """``AsyncClient``, driven from outside."""

    def __init__(self, api: Api, base_url: str, retries: Retries | None) -> None:
        async def sleep(seconds: float) -> None:
            api.sleep(seconds)

        self._runner = asyncio.Runner()
        self._client = AsyncClient(
            base_url,
            "ak_secret",
            retries=retries,
            transport=httpx.MockTransport(api.answer),
            clock=api.clock,
            sleep=sleep,
        )

    def __call__(self, method: str, *given: Any, **named: Any) -> Any:
        async def run() -> Any:
            result = getattr(self._client, method)(*given, **named)
            return [item async for item in result] if isinstance(result, AsyncIterator) else await result

        return self._runner.run(run())

    def close(self) -> None:
        self._runner.run(self._client.close())
        self._runner.close()


Both = Blocking | OnALoop
Connect = Callable[..., Both]
