"""Examples of the OpenAPI document, from ``examples.json``: what each operation is sent and answers, which
errors it has, in the server's own words, and what callbacks bring."""

import json
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

Examples = dict[str, dict[str, Any]]
"""OpenAPI's map of examples: by name, each with its ``value``."""


@dataclass(frozen=True)
class Operation:
    """What is said of one operation: its errors by code, its request bodies and its answers with 200."""

    errors: dict[int, Examples]
    request: Examples = field(default_factory=dict)
    answers: Examples = field(default_factory=dict)


def _named(values: dict[str, Any]) -> Examples:
    return {name: {"value": value} for name, value in values.items()}


def _errors(names: list[str], known: dict[str, Any]) -> dict[int, Examples]:
    found: dict[int, Examples] = {}
    for name in names:
        error = known[name]
        found.setdefault(error["code"], {})[name] = {"value": {**error, "data": None}}
    return found


_WRITTEN = json.loads(files(__package__).joinpath("examples.json").read_text("utf-8"))

CALLBACKS: dict[str, Examples] = {kind: _named(bodies) for kind, bodies in _WRITTEN["callbacks"].items()}
"""The bodies of callbacks by kind of task."""

OPERATIONS: dict[str, Operation] = {
    name: Operation(
        errors=_errors(said["errors"], _WRITTEN["errors"]),
        request=_named(said.get("request", {})),
        answers=_named(said.get("answers", {})),
    )
    for name, said in _WRITTEN["operations"].items()
}
"""Every operation by its ``operationId``."""
