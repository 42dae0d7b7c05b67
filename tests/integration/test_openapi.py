"""The OpenAPI document: what a stranger needs to write a client and a receiver."""

from typing import Any

import pytest
from pydantic import BaseModel

from antiphon.contract.callbacks import MidiCallback, SeparationCallback, VideoCallback
from tests.integration.server import Server

ENDPOINTS = {
    "/api/v1/audio/upload": ["post"],
    "/api/v1/audio/upload-url": ["post"],
    "/api/v1/vocal-removal/generate": ["post"],
    "/api/v1/vocal-removal/record-info": ["get"],
    "/api/v1/midi/generate": ["post"],
    "/api/v1/midi/record-info": ["get"],
    "/api/v1/mp4/generate": ["post"],
    "/api/v1/mp4/record-info": ["get"],
    "/api/v1/tasks/{taskId}/cancel": ["post"],
    "/api/v1/tasks": ["get"],
    "/api/v1/tasks/{taskId}/events": ["get"],
    "/api/v1/tasks/{taskId}/callbacks": ["get"],
    "/api/v1/tasks/{taskId}/callbacks/resend": ["post"],
    "/api/v1/callbacks/test": ["post"],
    "/api/v1/callbacks/events": ["get"],
    "/files/{token}": ["get"],
}
CALLBACKS: dict[str, type[BaseModel]] = {
    "/api/v1/vocal-removal/generate": SeparationCallback,
    "/api/v1/midi/generate": MidiCallback,
    "/api/v1/mp4/generate": VideoCallback,
}
ERRORS = {"400", "401", "404", "405", "409", "410", "413", "415", "429", "430", "455", "500"}


@pytest.fixture(scope="module")
def document(server: Server) -> dict[str, Any]:
    found: dict[str, Any] = server.http.get(f"{server.url}/openapi.json").raise_for_status().json()
    return found


def test_the_document_is_valid_openapi(document: dict[str, Any]) -> None:
    validator = pytest.importorskip("openapi_spec_validator")
    validator.validate(document)


@pytest.mark.parametrize("path", ENDPOINTS)
def test_every_endpoint_of_the_contract_is_described_with_its_errors(document: dict[str, Any], path: str) -> None:
    assert set(ENDPOINTS[path]) <= set(document["paths"][path])
    for method in ENDPOINTS[path]:
        operation = document["paths"][path][method]
        assert operation["operationId"]
        assert "summary" in operation or "description" in operation
        assert set(operation["responses"]) >= ERRORS
        assert "422" not in operation["responses"]
        for code in ERRORS:
            example = operation["responses"][code]["content"]["application/json"]["example"]
            assert (example["code"], example["data"]) == (int(code), None)


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


def test_every_call_but_files_and_health_needs_the_key(document: dict[str, Any]) -> None:
    for path, operations in document["paths"].items():
        for operation in operations.values():
            assert ("security" in operation) == path.startswith("/api/")
