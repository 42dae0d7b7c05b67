"""The OpenAPI document: what a stranger needs to write a client and a receiver."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import BaseModel

from antiphon.contract.callbacks import MidiCallback, SeparationCallback, VideoCallback, WavCallback
from tests.integration.server import Server

ALWAYS = {401, 500}
CHANGING = {*ALWAYS, 400, 403}
WRITING = {*CHANGING, 430, 455}
GENERATE = {*WRITING, 404, 409, 410, 413, 429}
RECORD = {*ALWAYS, 400, 404, 410}
ENDPOINTS: dict[tuple[str, str], set[int]] = {
    ("post", "/api/v1/audio/upload"): {*WRITING, 409, 413, 415},
    ("post", "/api/v1/audio/upload-url"): {*WRITING, 409, 413, 415},
    ("post", "/api/v1/vocal-removal/generate"): GENERATE,
    ("get", "/api/v1/vocal-removal/record-info"): RECORD,
    ("post", "/api/v1/midi/generate"): GENERATE,
    ("get", "/api/v1/midi/record-info"): RECORD,
    ("post", "/api/v1/mp4/generate"): GENERATE,
    ("get", "/api/v1/mp4/record-info"): RECORD,
    ("post", "/api/v1/tasks/{taskId}/cancel"): {*CHANGING, 404},
    ("get", "/api/v1/tasks"): {*ALWAYS, 400},
    ("get", "/api/v1/tasks/events"): {*ALWAYS, 400, 430},
    ("get", "/api/v1/generate/record-info"): RECORD,
    ("get", "/api/v1/generate/credit"): ALWAYS,
    ("get", "/api/v1/chat/credit"): ALWAYS,
    ("post", "/api/v1/common/download-url"): {*WRITING, 404, 410, 413},
    ("post", "/api/v1/generate/get-timestamped-lyrics"): {*WRITING, 404, 409, 410, 413},
    ("post", "/api/v1/wav/generate"): GENERATE,
    ("get", "/api/v1/wav/record-info"): RECORD,
    ("post", "/api/v1/jobs/createTask"): GENERATE,
    ("get", "/api/v1/jobs/recordInfo"): RECORD,
    ("post", "/api/file-stream-upload"): {*WRITING, 413},
    ("post", "/api/file-url-upload"): {*WRITING, 413},
    ("post", "/api/file-base64-upload"): WRITING,
    ("get", "/api/v1/tasks/{taskId}"): RECORD,
    ("get", "/api/v1/tasks/{taskId}/family"): RECORD,
    ("get", "/api/v1/tasks/{taskId}/peaks/{artifact}"): {*RECORD, 415},
    ("get", "/api/v1/tasks/{taskId}/segments/{artifact}/{number}"): {*RECORD, 415},
    ("get", "/api/v1/tasks/{taskId}/archive"): {*RECORD, 409},
    ("get", "/api/v1/tasks/{taskId}/events"): {*ALWAYS, 400, 404, 430},
    ("get", "/api/v1/tasks/{taskId}/callbacks"): {*ALWAYS, 400, 404},
    ("get", "/api/v1/tasks/{taskId}/callbacks/{number}/body"): {*ALWAYS, 400, 404},
    ("post", "/api/v1/callbacks/check"): {*CHANGING, 413},
    ("post", "/api/v1/tasks/{taskId}/callbacks/resend"): {*WRITING, 404, 409, 410},
    ("post", "/api/v1/callbacks/test"): {*WRITING, 413},
    ("get", "/api/v1/callbacks/events"): {*ALWAYS, 400, 430},
    ("get", "/api/v1/keys"): {*ALWAYS, 403},
    ("post", "/api/v1/keys"): {*CHANGING, 413},
    ("delete", "/api/v1/keys/{id}"): {*CHANGING, 404, 409},
    ("get", "/api/v1/webhook-keys"): {*ALWAYS, 403},
    ("post", "/api/v1/webhook-keys/rotate"): {*ALWAYS, 403},
    ("get", "/api/v1/system"): {*ALWAYS, 403},
    ("post", "/console/session"): {*ALWAYS, 400, 413, 430},
    ("get", "/console/session"): ALWAYS,
    ("delete", "/console/session"): {*ALWAYS, 403},
    ("get", "/files/{token}/{filename}"): {404, 410, 500},
    ("get", "/health"): {500},
    ("get", "/metrics"): {500},
}
SONG_RECORD = "/api/v1/generate/record-info"
POLLED = {path for _, path in ENDPOINTS if path.lower().replace("-", "").endswith("/recordinfo")} - {SONG_RECORD}
FILE_SAID = "File uploaded successfully"
OTHERS = {"200", "206", "416"}
CALLBACKS: dict[str, type[BaseModel]] = {
    "/api/v1/vocal-removal/generate": SeparationCallback,
    "/api/v1/midi/generate": MidiCallback,
    "/api/v1/mp4/generate": VideoCallback,
    "/api/v1/wav/generate": WavCallback,
}


@pytest.fixture(scope="module")
def document(server: Server) -> dict[str, Any]:
    found: dict[str, Any] = server.http.get(f"{server.url}/openapi.json").raise_for_status().json()
    return found


def test_the_document_is_valid_openapi(document: dict[str, Any]) -> None:
    validator = pytest.importorskip("openapi_spec_validator")
    validator.validate(document)


def examples(media: dict[str, Any]) -> list[Any]:
    return [example["value"] for example in media["examples"].values()]


def media_of(node: Any) -> Iterator[dict[str, Any]]:
    """Every media type with a schema, callbacks' among them."""
    if isinstance(node, dict):
        if "content" in node:
            yield from (media for media in node["content"].values() if media.get("schema"))
        node = list(node.values())
    for value in node if isinstance(node, list) else ():
        yield from media_of(value)


def test_every_endpoint_of_the_contract_is_described_and_no_other(document: dict[str, Any]) -> None:
    assert {(method, path) for path, found in document["paths"].items() for method in found} == set(ENDPOINTS)


@pytest.mark.parametrize(("method", "path"), ENDPOINTS)
def test_an_endpoint_lists_the_errors_that_it_has_and_no_others(
    document: dict[str, Any], method: str, path: str
) -> None:
    operation = document["paths"][path][method]
    assert operation["operationId"]
    assert "summary" in operation or "description" in operation
    assert set(operation["responses"]) - OTHERS == {str(code) for code in ENDPOINTS[method, path]}
    for code in ENDPOINTS[method, path]:
        for example in examples(operation["responses"][str(code)]["content"]["application/json"]):
            assert (example["code"], example["data"]) == (code, None)
            assert example["msg"] not in ("", operation["responses"][str(code)]["description"])


@pytest.mark.parametrize(("method", "path"), [one for one in ENDPOINTS if one[1].startswith("/api/")])
def test_an_endpoint_shows_whole_requests_and_answers(document: dict[str, Any], method: str, path: str) -> None:
    operation = document["paths"][path][method]
    if "requestBody" in operation:
        (media,) = operation["requestBody"]["content"].values()
        assert all(set(media_required(document, media)) <= set(example) for example in examples(media))
    media, *others = operation["responses"]["200"]["content"].values()
    if media["schema"].get("format") == "binary":
        return
    assert not others
    for example in examples(media):
        if path.endswith("/events"):
            assert example.startswith("event: ") and example.endswith("\n\n")
        else:
            assert (example["code"], example["msg"]) == (200, FILE_SAID if path.startswith("/api/file-") else "success")
            assert example["data"]
    if path.endswith("/record-info") and path != SONG_RECORD:
        assert {"success", "pending", "failure"} <= set(media["examples"])


def media_required(document: dict[str, Any], media: dict[str, Any]) -> list[str]:
    schema = media["schema"]
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    required: list[str] = schema.get("required", [])
    return required


def test_every_example_fits_its_schema(document: dict[str, Any]) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    checked = 0
    for media in media_of(document["paths"]):
        validator = jsonschema.Draft202012Validator({**media["schema"], "components": document["components"]})
        for example in examples(media) if "examples" in media else ():
            validator.validate(example)
            checked += 1
    assert checked > 100


def test_waiting_times_are_declared_where_they_come(document: dict[str, Any]) -> None:
    for path, operations in document["paths"].items():
        for operation in operations.values():
            for code, response in operation["responses"].items():
                waits = code in ("429", "430", "455") or (code == "200" and path in POLLED)
                asks = not path.startswith("/files/") and operation["operationId"] != "console_sign_out"
                waits = waits or (code == "500" and asks)  # links and cookies need no database
                assert ("Retry-After" in response.get("headers", {})) == waits, (path, code)


SHORT, UNKNOWN, TRACK = "5c79be8e", "0" * 32, "e231f5a0-9f2d-4c11-8e6d-2b8cadc7dc01"
SAID: list[tuple[str, str, int, dict[str, Any]]] = [
    ("get", "/api/v1/midi/record-info", 400, {"params": {"taskId": SHORT}}),
    ("get", "/api/v1/midi/record-info", 404, {"params": {"taskId": UNKNOWN}}),
    ("get", "/api/v1/midi/record-info", 404, {"params": {"taskId": "upload"}}),
    ("get", "/api/v1/midi/record-info", 410, {"params": {"taskId": "expired"}}),
    ("get", "/api/v1/tasks", 400, {"params": {"limit": 500}}),
    ("get", "/api/v1/tasks/events", 400, {"headers": {"Last-Event-ID": "yesterday"}}),
    ("get", "/api/v1/tasks", 401, {"headers": {"Authorization": "Bearer ak_none"}}),
    ("get", "/api/v1/tasks", 401, {"headers": {"Authorization": ""}}),
    ("get", "/api/v1/callbacks/events", 400, {"params": {"since": "yesterday"}}),
    ("get", "/files/{token}/{filename}", 404, {}),
    ("get", "/api/v1/tasks/{taskId}", 404, {}),
    ("get", "/api/v1/tasks/{taskId}/family", 404, {}),
    ("get", "/api/v1/tasks/{taskId}/peaks/{artifact}", 400, {"params": {"buckets": 20_000}}),
    ("get", "/api/v1/tasks/{taskId}/segments/{artifact}/{number}", 404, {}),
    ("get", "/api/v1/tasks/{taskId}/archive", 404, {}),
    ("get", "/api/v1/tasks/{taskId}/callbacks/{number}/body", 404, {}),
    ("post", "/api/v1/callbacks/check", 400, {"json": {}}),
    ("post", "/api/v1/keys", 400, {"json": {}}),
    ("delete", "/api/v1/keys/{id}", 404, {}),
    ("post", "/console/session", 400, {"json": {}}),
    ("post", "/console/session", 401, {"json": {"key": "ak_none"}}),
    ("get", "/console/session", 401, {}),
    ("get", "/console/session", 401, {"headers": {"Cookie": "antiphon_session=AAAA"}}),
    ("delete", "/console/session", 401, {}),
    ("post", "/api/v1/midi/generate", 400, {"json": {}}),
    ("post", "/api/v1/midi/generate", 400, {"json": {"taskId": UNKNOWN, "callBackUrl": "ftp://example.com/callback"}}),
    ("post", "/api/v1/midi/generate", 400, {"json": {"taskId": UNKNOWN, "callBackUrl": "http://10.0.0.7/"}}),
    ("post", "/api/v1/midi/generate", 404, {"json": {"taskId": UNKNOWN}}),
    ("post", "/api/v1/mp4/generate", 400, {"json": {"taskId": UNKNOWN, "audioId": TRACK, "theme": "stars"}}),
    ("post", "/api/v1/midi/generate", 409, {"json": {"taskId": "upload"}}),
    ("post", "/api/v1/midi/generate", 409, {"json": {"taskId": "running"}}),
    ("post", "/api/v1/midi/generate", 410, {"json": {"taskId": "expired separation"}}),
    ("post", "/api/v1/midi/generate", 413, {"content": b" " * 1_000_001}),
    ("post", "/api/v1/audio/upload", 400, {"json": {}}),
    ("post", "/api/v1/audio/upload", 400, {"files": {"cover": ("cover.png", b"")}}),
    ("post", "/api/v1/audio/upload", 413, {"files": {"file": ("song.wav", bytes(6_000_000))}}),
    ("post", "/api/v1/audio/upload", 415, {"files": {"file": ("song.mp3", b"")}}),
    ("post", "/api/v1/audio/upload", 415, {"files": {"file": ("song.mp3", b"no song")}}),
]
VARYING = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32}|\d+")


@pytest.fixture(scope="module")
def planted(server: Server) -> dict[str, str]:
    past = datetime.now(UTC) - timedelta(days=1)
    made = {
        "upload": server.plant("upload", "succeeded"),
        "running": server.plant("separation", "running"),
        "expired": server.plant("midi", "succeeded"),
        "expired separation": server.plant("separation", "succeeded"),
    }
    for name in ("expired", "expired separation"):
        server.sql("UPDATE tasks SET expires_at = %s WHERE id = %s", past, made[name])
    return made


@pytest.mark.parametrize(("method", "path", "code", "how"), SAID)
def test_errors_are_shown_in_the_words_in_which_the_server_says_them(
    document: dict[str, Any],
    server: Server,
    planted: dict[str, str],
    method: str,
    path: str,
    code: int,
    how: dict[str, Any],
) -> None:
    where: dict[str, dict[str, Any]] = {part: {**how[part]} for part in ("params", "json") if part in how}
    for fields in where.values():
        if "taskId" in fields:
            fields["taskId"] = planted.get(fields["taskId"], fields["taskId"])
    headers = {"Authorization": f"Bearer {server.key}", **how.get("headers", {})}
    how = {**how, **where, "headers": {name: value for name, value in headers.items() if value}}
    values = {
        "token": "abcd",
        "filename": "song.mp3",
        "taskId": UNKNOWN,
        "artifact": "vocal",
        "number": "7",
        "id": "999999",
    }
    answer = server.http.request(method, server.url + path.format(**values), **how)
    shown = examples(document["paths"][path][method]["responses"][str(code)]["content"]["application/json"])
    assert answer.status_code == code
    assert VARYING.sub("#", answer.json()["msg"]) in [VARYING.sub("#", example["msg"]) for example in shown]


def test_operation_ids_differ(document: dict[str, Any]) -> None:
    names = [operation["operationId"] for path in document["paths"].values() for operation in path.values()]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("path", CALLBACKS)
def test_callbacks_are_described_with_examples_that_fit(document: dict[str, Any], path: str) -> None:
    (callback,) = document["paths"][path]["post"]["callbacks"].values()
    (operation,) = callback.values()
    assert list(callback) == ["{$request.body#/callBackUrl}"]
    headers = {parameter["name"] for parameter in operation["post"]["parameters"]}
    assert headers >= {"X-Webhook-Timestamp", "X-Webhook-Signature", "webhook-id", "webhook-timestamp"}
    body = operation["post"]["requestBody"]["content"]["application/json"]
    assert "$ref" in body["schema"]
    for outcome, code in (("success", 200), ("failure", 500)):
        example = body["examples"][outcome]["value"]
        assert CALLBACKS[path].model_validate(example).model_dump()["code"] == code


def test_every_call_but_files_and_health_needs_the_key_or_a_session(document: dict[str, Any]) -> None:
    session: dict[str, list[str]] = {"APIKeyCookie": []}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if path.startswith("/api/"):
                assert operation["security"] == [{"HTTPBearer": []}, session]
            elif path == "/console/session" and method != "post":
                assert operation["security"] == [session]
            else:
                assert "security" not in operation


def _schemas(node: Any, field: str) -> list[dict[str, Any]]:
    """Schemas of the fields and parameters of this name, wherever they stand."""
    if isinstance(node, list):
        return [found for one in node for found in _schemas(one, field)]
    if not isinstance(node, dict):
        return []
    here = [node["properties"][field]] if field in node.get("properties", {}) else []
    here += [node["schema"]] if node.get("name") == field and "schema" in node else []
    return here + [found for one in node.values() for found in _schemas(one, field)]


def _texts(schema: dict[str, Any]) -> list[dict[str, Any]]:
    return [one for one in (schema, *schema.get("anyOf", ())) if one.get("type") == "string"]


@pytest.mark.parametrize(
    ("field", "right", "wrong"),
    [
        ("taskId", "5c79be8e5c7f4bb0a3f7a1a2b3c4d5e6", "5C79BE8E5C7F4BB0A3F7A1A2B3C4D5E6"),
        ("audioId", "E231f5a0-9f2d-4c11-8e6d-2b8cadc7dc01", "e231f5a09f2d4c118e6d2b8cadc7dc01"),
        ("author", "Zoë 🎵", "a\tb"),
        ("domainName", "example.com", "a\nb"),
        ("lyrics", "\ufeffla\r\n\tla\n", "la\x1b"),
        ("uploadPath", "a/b", "a\x00b"),
        ("fileName", "a.mp3", "a\u2028"),
        ("Idempotency-Key", "a b", "a\x7f"),
    ],
)
def test_the_document_states_the_patterns_that_are_checked(
    document: dict[str, Any], field: str, right: str, wrong: str
) -> None:
    bodies = [operation.get("requestBody", {}) for path in document["paths"].values() for operation in path.values()]
    parameters = [operation.get("parameters", []) for path in document["paths"].values() for operation in path.values()]
    names = {body["$ref"].rpartition("/")[2] for body in _references(bodies)}
    asked = [document["components"]["schemas"][name] for name in names]
    found = [text for schema in _schemas([asked, bodies, parameters], field) for text in _texts(schema)]
    assert found
    for schema in found:
        assert re.search(schema["pattern"], right) and not re.search(schema["pattern"], wrong), schema


def _references(node: Any) -> list[dict[str, str]]:
    if isinstance(node, list):
        return [found for one in node for found in _references(one)]
    if not isinstance(node, dict):
        return []
    return [node] if "$ref" in node else [found for one in node.values() for found in _references(one)]
