"""What is read of a callback before it is kept."""

import json
import subprocess
import sys
import threading
import time
from typing import Any

import pytest

from antiphon.contract.results import MidiResult, read_result
from antiphon.errors import BadParameter
from antiphon.receiver.inbox.payload import load, read

NOTE = {"pitch": 44, "start": 7.6875, "end": 7.9115, "velocity": 0.8}


def body(document: Any) -> bytes:
    return json.dumps(document).encode()


@pytest.mark.parametrize(
    ("document", "kind", "task_id"),
    [
        ({"taskId": "a", "data": {"instruments": []}}, "midi", "a"),
        ({"data": {"taskId": "a", "state": "failed", "instruments": None}}, "midi", "a"),
        ({"task_id": "a", "instruments": [1]}, "midi", "a"),
        ({"data": {"task_id": "a", "video_url": None}}, "video", "a"),
        ({"data": {"task_id": "a", "vocal_removal_info": {}}}, "separation", "a"),
        ({"data": {"task_id": 12}}, "unknown", "12"),
        ({"taskId": "", "data": {"task_id": "b"}}, "unknown", "b"),
        ({"taskId": "top", "data": {"taskId": "inner"}}, "unknown", "top"),
        ({"data": None}, "unknown", ""),
        ({"data": NOTE}, "unknown", ""),
    ],
)
def test_kind_and_task_are_found_wherever_the_sender_put_them(document: Any, kind: str, task_id: str) -> None:
    payload = read(body(document))
    assert (payload.kind, payload.task_id) == (kind, task_id)


@pytest.mark.parametrize(
    ("document", "code", "failed"),
    [
        ({"code": 200, "data": {"instruments": []}}, 200, False),
        ({"code": "200", "data": {"instruments": []}}, 200, False),
        ({"data": {"instruments": []}}, None, False),
        ({"code": 500, "data": {"instruments": []}}, 500, True),
        ({"code": "500", "data": {"instruments": []}}, 500, True),
        ({"code": 200, "data": {"state": "failed", "instruments": [{"name": "Drums", "notes": [NOTE]}]}}, 200, True),
        ({"code": 200, "data": {"video_url": None}}, 200, True),
        ({"code": 200, "data": {"video_url": "https://a.example/v"}}, 200, False),
        ({"code": 200, "data": {"vocal_removal_info": None}}, 200, True),
        ({"code": 200, "data": {"vocal_removal_info": {"vocal_url": "https://a.example/v"}}}, 200, False),
        ({"code": True}, None, False),
        ({"code": 10**30}, None, False),
    ],
)
def test_a_failure_is_told_by_code_state_or_missing_link(document: Any, code: int | None, failed: bool) -> None:
    payload = read(body(document))
    assert (payload.code, payload.failed) == (code, failed)


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"", "not JSON"),
        (b"not json", "not JSON"),
        (b'{"taskId": ', "not JSON"),
        (b"9" * 100_000, "a JSON string"),
        (b'{"taskId": ' + b"9" * 5000 + b"}", "at most 200 printable"),
        (b"\xff\xfe{}", "not UTF-8"),
        (b"null", "a JSON null; a callback is an object"),
        (b"[]", "a JSON array"),
        (b"1e999", "a JSON number"),
        (b'{"pitch": 1, "start": 1, "end": 1, "velocity": 1}', "a single note"),
        (b"[" * 200_000, "nested too deeply"),
        (b'{"a":' * 100_000, "nested too deeply"),
        (b'{"a":' + b"[" * 100 + b"]" * 100 + b"}", "more than 64 levels"),
        (b'{"a":' * 100 + b"1" + b"}" * 100, "more than 64 levels"),
        (b'{"a": [' + b"{}," * 2_100_000 + b"1]}", "2,000,000 objects and arrays"),
        (b'{"taskId": "' + b"x" * 201 + b'"}', "at most 200 printable"),
        (b'{"taskId": "a\\u0000b"}', "at most 200 printable"),
        (b'{"taskId": "\\ud800"}', "at most 200 printable"),
        (b'{"taskId": "a\\nb"}', "at most 200 printable"),
    ],
)
def test_what_is_no_callback_is_refused_in_words(raw: bytes, message: str) -> None:
    with pytest.raises(BadParameter, match=message):
        read(raw)


@pytest.mark.parametrize(
    "raw",
    [
        b"{}",
        b'{"taskId": NaN, "code": Infinity}',
        b'{"taskId": "a", "taskId": "b", "data": {"text": "\\ud800"}}',
        b'{"data": {"taskId": {"a": 1}, "task_id": ["b"], "video_url": 5}}',
        b'{"a":' + b"[" * 60 + b"]" * 60 + b"}",
        b'{"taskId": "a", "data": {"instruments": [[], 1, null, {"notes": 5}, {"name": {}, "notes": [1, [], "a"]}]}}',
        b'{"taskId": "a", "data": {"vocal_removal_info": [1, {"a": 2}]}}',
        b'{"taskId": "a", "data": {"instruments": [{"name": "x", "notes": [{"pitch": 1e999}]}]}}',
        b'{"taskId": "a", "instruments": [{"notes": [{"pitch":1,"start":1e999,"end":NaN,"velocity":"x"}]}]}',
        b'{"taskId": "a", "instruments": [{"notes": [{"pitch":1,"start":' + b"9" * 4000 + b',"end":2,"velocity":3}]}]}',
        b'{"taskId": "a", "code": ' + b"9" * 100_000 + b"}",
    ],
)
def test_what_is_odd_is_read_as_far_as_it_goes(raw: bytes) -> None:
    assert len(read(raw).digest) == 32


def test_a_number_without_end_costs_its_note_and_not_the_callback() -> None:
    notes = b'{"pitch":%s,"start":1,"end":2,"velocity":1},{"pitch":60,"start":1,"end":2,"velocity":1}'
    raw = b'{"taskId":"a","data":{"instruments":[{"name":"Drums","notes":[' + notes + b"]}]}}"
    endless = raw.replace(b"%s", b"9" * 5000)
    assert (read(endless).kind, read(endless).failed) == ("midi", False)
    result = read_result(load(endless))
    assert isinstance(result, MidiResult)
    assert [note.pitch for note in result.instruments[0].notes] == [60]
    assert result.problems[0].startswith("instruments[0].notes[0].pitch is '9999")


def test_a_million_notes_are_read_while_other_threads_go_on() -> None:
    notes = b",".join(b'{"pitch":1,"start":%d,"end":9,"velocity":1}' % place for place in range(700_000))
    raw = b'{"taskId":"a","data":{"instruments":[{"name":"Drums","notes":[' + notes + b"]}]}}"
    reading = threading.Thread(target=read, args=(raw,))
    started = last = time.perf_counter()
    longest = 0.0
    reading.start()
    while reading.is_alive():
        now = time.perf_counter()
        longest, last = max(longest, now - last), now
        time.sleep(0)
    assert longest < (last - started) / 4  # json.loads alone would let nobody run for most of the time


MEASURE = """
import resource, sys
from antiphon.receiver.inbox.payload import read
raw = open(sys.argv[1], "rb").read()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
assert read(raw).kind == "midi"
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 / len(raw))
"""


def test_reading_takes_a_few_times_the_memory_of_the_body(tmp_path: Any) -> None:
    path = tmp_path / "body"
    note = b'{"pitch":44,"start":7.6875,"end":7.9115,"velocity":0.8},'
    path.write_bytes(b'{"taskId":"a","data":{"instruments":[{"name":"Drums","notes":[' + note * 300_000 + b"1]}]}}")
    done = subprocess.run([sys.executable, "-c", MEASURE, str(path)], capture_output=True, text=True, check=True)
    assert float(done.stdout) < 5
