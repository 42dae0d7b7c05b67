"""Receivers as the API's documents show them keep working: their ways of reading a body, played on what we send.

Three ways, one for each language of the documents: JavaScript takes fields out of objects and breaks on what is not
there, Python asks with a default, which null is not, PHP falls back on null.
"""

import base64
import hmac
import json
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.integration.line import KINDS, Line
from tests.integration.server import Server
from tests.paths import GOLDENS

LINK = "https://music.example.com/files/eyJhIjoxfQ.c2ln"
TASK = "5c79be8e5c7f4bb0a3f7a1a2b3c4d5e6"
INSTRUMENTS = '{"name":"Drums","notes":[{"pitch":36,"start":0.0,"end":0.1,"velocity":1.0}]}'


@dataclass
class Seen:
    """What a receiver made of a callback: under which id, what it saved or fetched, and what it said."""

    task_id: str
    saved: dict[str, Any] = field(default_factory=dict)
    fetched: dict[str, str] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)


Reading = Callable[[str, Any], Seen]


class Missing(Exception):
    """What JavaScript throws when a field of undefined or null is read."""


def js(value: Any, *path: str | int) -> Any:
    """``value.a.b``: a field that is not there is undefined, here None, and has no fields itself."""
    for name in path:
        if value is None:
            raise Missing(name)
        value = value.get(name) if isinstance(value, dict) else value[name]
    return value


def read_in_javascript(kind: str, body: Any) -> Seen:
    code, message, task_id, data = (js(body, name) for name in ("code", "msg", "taskId", "data"))
    seen = Seen(task_id if kind == "midi" else js(data, "task_id"))
    if code != 200:
        seen.said.append(f"{seen.task_id} failed: {message}")
    elif kind == "midi":
        for instrument in js(data, "instruments"):
            seen.said.append(f"{js(instrument, 'name')}: {len(js(instrument, 'notes'))} notes")
        seen.saved[f"midi_{task_id}.json"] = data
    elif kind == "video":
        seen.fetched[f"video_{seen.task_id}.mp4"] = js(data, "video_url")
    else:
        info = js(data, "vocal_removal_info")
        for stem in ("vocal_url", "instrumental_url", "drums_url", "bass_url", "guitar_url"):
            if js(info, stem):
                seen.fetched[stem] = js(info, stem)
    return seen


def read_in_python(kind: str, body: Any) -> Seen:
    data = body.get("data", {})
    if kind == "midi":
        seen = Seen(body.get("taskId", ""))
        if body.get("code") == 200:
            notes = [note for instrument in data.get("instruments", []) for note in instrument.get("notes", [])]
            if notes:
                seen.said.append(f"{len(notes)} notes, {max(float(note['end']) for note in notes):.1f} s")
            seen.saved[f"midi_{seen.task_id}.json"] = data
    else:
        seen = Seen(data.get("task_id", ""))
        if body.get("code") == 200 and kind == "video":
            seen.fetched[f"video_{seen.task_id}.mp4"] = data["video_url"]
        elif body.get("code") == 200:
            info = data.get("vocal_removal_info", {})
            seen.fetched.update({name: url for name, url in info.items() if name != "origin_url" and url})
    if body.get("code") != 200:
        seen.said.append(f"{seen.task_id} failed: {body.get('msg')}")
    return seen


def read_in_php(kind: str, body: Any) -> Seen:
    data = body["data"] if body.get("data") is not None else {}
    task_id = body.get("taskId") if kind == "midi" else data.get("task_id")
    seen = Seen(task_id or "")
    if body["code"] != 200:
        seen.said.append(f"{task_id} failed: {body['msg']}")
        return seen
    if kind == "midi":
        for instrument in data.get("instruments") or []:
            for note in instrument["notes"]:
                assert note["end"] - note["start"] >= 0 and note["pitch"] + 0 >= 0 and note["velocity"] * 127 <= 127
        seen.saved[f"midi_{task_id}.json"] = data
    elif kind == "video":
        seen.fetched[f"video_{task_id}.mp4"] = data.get("video_url") or ""
    else:
        seen.fetched.update({name: url for name, url in data["vocal_removal_info"].items() if isinstance(url, str)})
    return seen


READINGS = (read_in_javascript, read_in_python, read_in_php)


def check(seen: Seen, kind: str, body: Any, task_id: str) -> None:
    assert seen.task_id == task_id
    if body["code"] != 200:
        assert (seen.saved, seen.fetched) == ({}, {})
        assert seen.said == [f"{task_id} failed: {body['msg']}"] and body["msg"] not in ("", "success", None)
    elif kind == "midi":
        assert seen.saved == {f"midi_{task_id}.json": body["data"]}
        assert seen.saved[f"midi_{task_id}.json"]["instruments"]
    elif kind == "video":
        assert list(seen.fetched) == [f"video_{task_id}.mp4"]
    else:
        assert "vocal_url" in seen.fetched and len(seen.fetched) >= 2
    assert all(url.startswith("http") for url in seen.fetched.values())


@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.parametrize("name", KINDS)
def test_a_documented_receiver_reads_what_our_server_has_just_sent(line: Line, name: str, reading: Reading) -> None:
    body = line.callbacks[name].body
    check(reading(KINDS[name], body), KINDS[name], body, line.ids[name])


@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.parametrize("path", sorted(GOLDENS.glob("callback-*.json")), ids=lambda path: path.stem)
def test_a_documented_receiver_reads_every_callback_that_we_promise(path: Path, reading: Reading) -> None:
    text = path.read_text().replace("<task>", TASK).replace("<link>", LINK).replace("<instruments>", INSTRUMENTS)
    kind = {"separate_vocal": "separation", "split_stem": "separation"}.get(name := path.stem.split("-")[1], name)
    check(reading(kind, json.loads(text)), kind, json.loads(text), TASK)


def test_numbers_are_numbers_for_receivers_that_calculate_with_them(line: Line) -> None:
    notes = [note for instrument in line.callbacks["midi"].body["data"]["instruments"] for note in instrument["notes"]]
    assert notes
    for note in notes:
        assert type(note["pitch"]) is int
        assert all(
            type(note[name]) in (int, float) and math.isfinite(note[name]) for name in ("start", "end", "velocity")
        )


@pytest.mark.parametrize("name", KINDS)
def test_the_signature_guide_that_reads_data_task_id_verifies_every_kind(server: Server, line: Line, name: str) -> None:
    """One edition's guide signs ``data.task_id`` for all kinds, MIDI among them."""
    received = line.callbacks[name]
    signed = f"{received.body['data']['task_id']}.{received.headers['x-webhook-timestamp']}"
    digest = hmac.digest(server.webhook_key.encode(), signed.encode(), "sha256")
    assert base64.b64encode(digest).decode() == received.headers["x-webhook-signature"]


@pytest.mark.parametrize("name", ["separate_vocal", "split_stem"])
def test_both_editions_find_the_stems(line: Line, name: str) -> None:
    data = line.callbacks[name].body["data"]
    assert data["vocal_removal_info"]["vocal_url"] == data["vocal_separation_info"]["vocal_url"]
    assert data["vocal_removal_info"]["vocal_url"].endswith("vocal.flac")
