"""Rendering of every error as an envelope."""

import math
from typing import Any, TypeVar

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ValidationError
from sqlalchemy.exc import DBAPIError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import Match

from antiphon.durable_files import STORAGE_FULL, is_disk_full
from antiphon.errors import AntiphonError, BadParameter, MethodNotAllowed, NotFound, StorageError, Unauthorized
from antiphon.http_server.bodies import Busy, TooSlow

Model = TypeVar("Model", bound=BaseModel)

log = structlog.get_logger()
FILE_CALLS = "/api/file-"
METHODS = ("DELETE", "GET", "HEAD", "PATCH", "POST", "PUT")
MAX_SHOWN_CHARS = 60  # of a value that came


class Draining:
    """Whether the server is going down and takes no new tasks."""

    def __init__(self) -> None:
        self.on = False

    def set(self) -> None:
        self.on = True


def install(app: FastAPI) -> None:
    @app.exception_handler(AntiphonError)
    async def known(request: Request, error: AntiphonError) -> JSONResponse:
        return envelope(error, request.url.path)

    @app.exception_handler(StorageError)
    async def storage(request: Request, error: StorageError) -> JSONResponse:
        log.error("storage error", path=request.url.path, error=error.message)
        return envelope(AntiphonError(error.told, retry_after=error.retry_after), request.url.path)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        return envelope(BadParameter(explain(request, list(error.errors()))), request.url.path)

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> JSONResponse:
        if error.status_code == NotFound.code:
            return envelope(nothing_at(request.url.path), request.url.path)
        if error.status_code == MethodNotAllowed.code:
            allowed = ", ".join(_methods_at(app, request)) or "another method"
            refusal = MethodNotAllowed(f"{request.url.path} takes {allowed}, not {request.method}")
            answer = envelope(refusal, request.url.path)
            answer.headers["Allow"] = allowed
            return answer
        unread = BadParameter("body: expected a JSON object in UTF-8, nested a few levels at most; send one")
        return envelope(unread, request.url.path)

    @app.exception_handler(ClientDisconnect)
    async def gone(request: Request, error: ClientDisconnect) -> JSONResponse:
        log.info("client hung up", path=request.url.path)
        return envelope(BadParameter("body: ends too early; send the whole of it"), request.url.path)

    @app.exception_handler(DBAPIError)
    async def database(request: Request, error: DBAPIError) -> JSONResponse:
        log.error("database error", path=request.url.path, error=str(error.orig).strip())
        silent = AntiphonError("the database does not answer; try again in a moment", retry_after=5)
        return envelope(silent, request.url.path)

    @app.exception_handler(Exception)
    async def unexpected(request: Request, error: Exception) -> JSONResponse:
        log.error("unexpected error", path=request.url.path, exc_info=error)
        return envelope(AntiphonError(), request.url.path)


def _methods_at(app: FastAPI, request: Request) -> list[str]:
    """The methods that this path takes, over all of its routes."""

    def takes(method: str) -> bool:
        scope = {**request.scope, "method": method}
        return any(route.matches(scope)[0] is Match.FULL for route in app.routes)

    return [method for method in METHODS if takes(method)]


def envelope(error: AntiphonError, path: str) -> JSONResponse:
    """The answer that reports ``error``; the file calls say ``success`` besides."""
    headers = {"Retry-After": str(math.ceil(error.retry_after))} if error.retry_after is not None else {}
    if error.code == Unauthorized.code:
        headers["WWW-Authenticate"] = "Bearer"  # RFC 9110 §11.6.1
    if error.code in (TooSlow.code, Busy.code):
        headers["Connection"] = "close"  # the rest of the body is not wanted
    content = {"success": False} if path.startswith(FILE_CALLS) else {}
    return JSONResponse({**content, "code": error.code, "msg": error.message, "data": None}, error.code, headers)


def nothing_at(path: str) -> NotFound:
    return NotFound(f"there is nothing at {path!r}; /openapi.json lists the paths")


def unkept(error: OSError) -> StorageError:
    """The error of an upload that the disk did not take."""
    told = STORAGE_FULL if is_disk_full(error) else "the upload could not be kept; the server's log says why"
    return StorageError(f"the upload could not be kept ({error})", told=told)


def validated(model: type[Model], fields: object, *where: str) -> Model:
    """The fields of a body that FastAPI did not read itself, or of the object at ``where`` in one.

    Raises:
        RequestValidationError: As for a body that it did read.
    """
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        found = [{**item, "loc": ("body", *where, *item["loc"])} for item in error.errors()]
        raise RequestValidationError(found) from None


def explain(request: Request, errors: list[Any]) -> str:
    """The first thing wrong, in words: which field, what was expected, what came, what to do."""
    error = errors[0]
    kind, where = error["type"], [str(part) for part in error["loc"]]
    field = named(".".join(where[1:]) or where[0])
    if kind == "json_invalid":
        return f"body: not valid JSON ({error['ctx']['error']}); send a JSON object"
    if where == ["body"] and kind == "string_unicode":
        return "body: the name of a field is no valid text; correct or remove it"
    if where == ["body"]:
        content_type = request.headers.get("content-type", "no Content-Type")
        came = _shown(error.get("input")) if content_type.startswith("application/json") else content_type
        return f"body: expected a JSON object with Content-Type application/json (got {came}); send one"
    if kind == "missing":
        return f"{field}: required, but missing; add it"
    if kind == "extra_forbidden":
        return f"{field}: unknown field; remove it or correct its spelling (the callback field is 'callBackUrl')"
    message = error["msg"].removeprefix("Value error, ")
    return f"{field}: {message[:1].lower()}{message[1:]} (got {_shown(error.get('input'))}); correct it and send again"


def named(field: str) -> str:
    """A field's name, which may be anything that somebody sent."""
    return _short(field if field.isprintable() else ascii(field))


def _shown(value: object) -> str:
    return _short(ascii(value) if isinstance(value, str) and not value.isprintable() else repr(value))


def _short(text: str) -> str:
    return text if len(text) <= MAX_SHOWN_CHARS else f"{text[:MAX_SHOWN_CHARS]}…"
