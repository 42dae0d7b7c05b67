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
STATES = ("queued", "running", "succeeded", "failed", "cancelled")


def main() -> None:
    parser = argparse.ArgumentParser(description="Call a server with whatever its OpenAPI document allows.")
    parser.add_argument("schemathesis", type=Path, help="the program")
    parser.add_argument("--examples", type=int, default=50, help="calls of one operation in each phase, at most")
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    with TemporaryDirectory() as folder, _server(Path(folder)) as server:
        document = server.http.get(f"{server.url}/openapi.json").json()
        described = Path(folder, "openapi.json")
        described.write_text(json.dumps(with_values(document, _values(server, Path(folder)))))
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


def _values(server: Server, folder: Path) -> dict[str, list[Any]]:
    """Values that exist on the server, by the name of the field or parameter that takes them."""
    path = folder / "song.mp3"
    path.write_bytes(seed("mp3"))
    song = server.upload(path, lyrics="la la la")
    tasks, sounds = [song["taskId"]], [song["audioId"]]
    for kind in KINDS:
        for state in STATES:
            tracks = ("vocal", "drums") if kind == "separation" and state == "succeeded" else ()
            tasks.append(server.plant(kind, state, tracks=tracks))
            sounds.append(server.audio_id(tasks[-1]))
            for track in tracks:
                _store(server, tasks[-1], track, seed("flac"))
    link = server.get("/generate/record-info", params={"taskId": tasks[0]})["response"]["sunoData"][0]["audioUrl"]
    token, filename = link.split("/files/")[1].split("/")
    known = {"taskId": tasks, "audioId": sounds, "artifact": ["origin", "vocal"], "number": [0, 1]}
    return known | {"token": [token], "filename": [unquote(filename)], "url": [link]}


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


def _either(known: list[Any], schema: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [{"enum": known}, schema]}


if __name__ == "__main__":
    main()
