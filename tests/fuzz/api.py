"""Calls of every kind that the OpenAPI document allows, made up by schemathesis, against a server of our own.

``python -m tests.fuzz.api SCHEMATHESIS`` starts a server, uploads a song, plants tasks in every state, and lets the
program ``SCHEMATHESIS`` call what the document describes, half of the time with ids that exist. No answer may be a 5xx,
and each must be as the document says. Exits as that program does.
"""

import argparse
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import unquote

from antiphon.database.embedded import EmbeddedPostgres
from tests.fuzz.mutations import seed
from tests.integration.server import Server, running

FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)
LEFT_OUT = {
    "/events": "never ends",
    "/upload-url": "would reach for made-up hosts",
    "/file-url-upload": "would reach for made-up hosts",
    "/callbacks/test": "would reach for made-up hosts",
    "/keys/{id}": "would delete the key that calls",
}
"""Ends of paths that are not called, and why."""

KINDS = ("separation", "midi", "video", "wav")
KIND_BY_PATH = {
    "/midi/generate": "separation",
    "/wav/generate": "separation",
    "/midi/": "midi",
    "/wav/": "wav",
    "/mp4/record-info": "video",
    "/vocal-removal/record-info": "separation",
}
"""Which kind of task a path takes, by its part; the others take an upload."""

CALLBACK_URL = "https://1.1.1.1/callback"
"""May be dialled, by an address that needs no look-up, and never is: no sender runs."""

STATES = ("queued", "running", "succeeded", "failed", "cancelled")


def main() -> None:
    parser = argparse.ArgumentParser(description="Call a server with whatever its OpenAPI document allows.")
    parser.add_argument("schemathesis", type=Path, help="the program")
    parser.add_argument("--examples", type=int, default=50, help="calls of one operation in each phase, at most")
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    with TemporaryDirectory() as folder, _server(Path(folder)) as server:
        known = Known.make(server, Path(folder))
        document = with_values(server.http.get(f"{server.url}/openapi.json").json(), known.values())
        set_examples(document, known)
        described = Path(folder, "openapi.json")
        described.write_text(json.dumps(document))
        command = [str(chosen.schemathesis.absolute()), "run", str(described), "--url", server.url]
        command += ["--header", f"Authorization: Bearer {server.key}", "--checks", ",".join(CHECKS)]
        command += ["--max-examples", str(chosen.examples), "--seed", str(chosen.seed), "--mode", "all"]
        command += ["--phases", "examples,coverage,fuzzing", "--suppress-health-check", "all"]
        command += ["--exclude-path-regex", f"({'|'.join(map(re.escape, LEFT_OUT))})$"]
        sys.exit(subprocess.run(command, check=False, cwd=folder).returncode)


@contextmanager
def _server(folder: Path) -> Iterator[Server]:
    """An API without a worker: what is queued stays queued."""
    (folder / "postgres").mkdir()
    database = EmbeddedPostgres(folder / "postgres", settings=FAST)
    settings = {"storage_url": str(folder / "storage"), "rate_limit": "1000000", "max_queued": "1000000"}
    try:
        with running(
            folder / "data", "api", database_url=database.start(), secret="a secret of this run alone", **settings
        ) as server:
            yield server
    finally:
        database.destroy()


@dataclass(frozen=True)
class Known:
    """What exists on the server: a song with its link, and tasks by kind and state, each with the id of a sound."""

    song: dict[str, Any]
    link: str
    tasks: dict[tuple[str, str], tuple[str, str]]

    @classmethod
    def make(cls, server: Server, folder: Path) -> "Known":
        """Upload a song, and plant tasks of each kind in each state."""
        path = folder / "song.mp3"
        path.write_bytes(seed("mp3"))
        song = server.upload(path, lyrics="la la la")
        tasks = {}
        for kind, state in product(KINDS, STATES):
            tracks = ("vocal", "drums") if (kind, state) == ("separation", "succeeded") else ()
            task_id = server.plant(kind, state, tracks=tracks)
            for track in tracks:
                _store(server, task_id, track, seed("flac"))
            tasks[kind, state] = task_id, server.audio_id(task_id)
        record = server.get("/generate/record-info", params={"taskId": song["taskId"]})
        return cls(song, record["response"]["sunoData"][0]["audioUrl"], tasks)

    def values(self) -> dict[str, list[Any]]:
        """Values that exist, by the name of the field or parameter that takes them."""
        token, filename = self.link.split("/files/")[1].split("/")
        return {
            "taskId": [self.song["taskId"], *(task_id for task_id, _ in self.tasks.values())],
            "audioId": [self.song["audioId"], *(audio_id for _, audio_id in self.tasks.values())],
            "artifact": ["origin", "vocal"],
            "number": [0, 1],
            "token": [token],
            "filename": [unquote(filename)],
            "url": [self.link],
        }

    def examples(self, path: str) -> dict[str, Any]:
        """The values with which a call of this path succeeds, as far as it can."""
        kind = next((kind for part, kind in KIND_BY_PATH.items() if part in path), None)
        task = self.tasks[kind, "succeeded"] if kind else (self.song["taskId"], self.song["audioId"])
        chosen = {name: values[0] for name, values in self.values().items()}
        return chosen | {"taskId": task[0], "audioId": task[1], "callBackUrl": CALLBACK_URL}


def _store(server: Server, task_id: str, track: str, content: bytes) -> None:
    """Put the bytes of a planted track where the database says that they are."""
    path = server.storage / task_id / "0" / f"{track}.flac"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    server.sql("UPDATE artifacts SET size = %s WHERE task_id = %s AND name = %s", len(content), task_id, track)


def with_values(document: Any, values: dict[str, list[Any]]) -> Any:
    """The document in which a parameter or field may also be one of these, by its name."""
    if isinstance(document, list):
        return [with_values(each, values) for each in document]
    if not isinstance(document, dict):
        return document
    changed = {name: with_values(each, values) for name, each in document.items()}
    if "in" in document and "schema" in document and document["name"] in values:
        changed["schema"] = _either(values[document["name"]], document["schema"])
    if isinstance(document.get("properties"), dict):
        for name in values.keys() & document["properties"].keys():
            changed["properties"][name] = _either(values[name], document["properties"][name])
    return changed


def set_examples(document: Any, known: Known) -> None:
    """Put ids that exist into the examples of the document's calls."""
    for path, operations in document["paths"].items():
        chosen = known.examples(path)
        for operation in operations.values():
            for parameter in operation.get("parameters", ()):
                if parameter["name"] in chosen:
                    parameter["examples"] = {"known": {"value": chosen[parameter["name"]]}}
            for media in operation.get("requestBody", {}).get("content", {}).values():
                for example in media.get("examples", {}).values():
                    value = example["value"]
                    value |= {name: chosen[name] for name in chosen.keys() & value.keys()}


def _either(known: list[Any], schema: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [{"enum": known}, schema]}


if __name__ == "__main__":
    main()
