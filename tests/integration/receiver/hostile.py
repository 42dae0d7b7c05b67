"""Bodies that somebody wrote who means no good, or whose program has lost its way."""

import json
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

NOTE = b'{"pitch":44,"start":7.5,"end":7.75,"velocity":0.5}'

NAMES = ["code", "msg", "taskId", "task_id", "data", "state", "instruments", "name", "notes", "pitch", "start", "end"]
NAMES += ["velocity", "video_url", "vocal_removal_info", "vocal_url", "../x_url", "origin_url"]

IDS = [
    *(
        "../../escaped",
        "..",
        ".",
        "/etc/escaped",
        "a/../../escaped",
        "..\\..\\escaped",
        "C:\\escaped",
        "//host/escaped",
    ),
    *("%2e%2e%2fescaped", "~/escaped", "$HOME", "`id`", "CON", "nul.txt", "com1", "a.", "a ", " a", "-rf", ".hidden"),
    *("A", "a", "é", "e\u0301", "ﬁ", "fi", "ß", "SS", "İ", "😀" * 200, "x" * 200, "inbox.sqlite3", "worker.lock"),
    *("a:b", "a|b", "a'b", 'a"b', "a;b", "<a>", "*", "?", "a.v2", "a--0123456789ab", "１"),
]
TOO_ODD_IDS = ["a\x00b", "a\nb", "\x1b[2J", "\u202eescaped", "x" * 201, "\ud800", "\udfff\ud800", "\u2028"]


def corpus() -> dict[str, bytes]:
    """Bodies by a name. Each is to be answered by 200 or 400, whoever signed it."""
    found = dict(_broken())
    found |= {f"nested {name}": body for name, body in _nested()}
    found |= {id_name(task_id): _with_id(task_id) for task_id in IDS + TOO_ODD_IDS}
    found |= {f"odd {order}": body for order, body in enumerate(_odd())}
    return found


def id_name(task_id: str) -> str:
    return f"id {task_id[:20]!a}, {len(task_id)} long"


def _broken() -> Iterator[tuple[str, bytes]]:
    yield from {
        "nothing": b"",
        "space": b" \n\t ",
        "a zero": b"\x00",
        "text": b"not json",
        "a byte order mark": b'\xef\xbb\xbf{"taskId": "a"}',
        "UTF-16": '{"taskId": "a"}'.encode("utf-16"),
        "UTF-32": '{"taskId": "a"}'.encode("utf-32"),
        "no UTF-8": b'{"taskId": "\xff\xfe"}',
        "an overlong slash": b'{"taskId": "..\xc0\xaf.."}',
        "a surrogate in UTF-8": b'{"taskId": "\xed\xa0\x80"}',
        "cut off": b'{"taskId": "a", "data": {"instruments": [' + NOTE,
        "two documents": b'{"taskId": "a"}{"taskId": "b"}',
        "a form": b"taskId=a&data=b",
        "null": b"null",
        "a list": b"[]",
        "a list of callbacks": b'[{"taskId": "a"}]',
        "a number": b"1e999",
        "a note": NOTE,
        "a long number": b"9" * 1_000_000,
        "a long number inside": b'{"taskId": "a", "code": ' + b"9" * 1_000_000 + b"}",
        "a long fraction": b'{"taskId": "a", "code": 0.' + b"9" * 1_000_000 + b"}",
        "comments": b'{"taskId": "a" /* */}',
        "a trailing comma": b'{"taskId": "a",}',
    }.items()


def _nested() -> Iterator[tuple[str, bytes]]:
    for depth in (60, 65, 300, 900, 990, 1000, 100_000):
        yield f"lists {depth}", b'{"taskId":"a","data":' + b"[" * depth + b"]" * depth + b"}"
        yield f"objects {depth}", b'{"taskId":"a","data":' + b'{"a":' * depth + b"1" + b"}" * depth + b"}"
        yield (
            f"instruments {depth}",
            b'{"taskId":"a","instruments":' + b'[{"notes":' * depth + b"1" + b"}]" * depth + b"}",
        )
    yield "open for ever", b"[" * 1_000_000
    yield "wide", b'{"taskId":"a","instruments":[' + b"[]," * 300_000 + b"{}]}"
    yield "too wide", b'{"taskId":"a","instruments":[' + b"[]," * 2_500_000 + b"{}]}"
    yield "many fields", b"{" + b",".join(b'"a%d":1' % number for number in range(200_000)) + b"}"


def _with_id(task_id: str) -> bytes:
    return json.dumps({"taskId": task_id, "data": {"instruments": [{"name": "Drums", "notes": []}]}}).encode()


def _odd() -> Iterator[bytes]:
    numbers = ["NaN", "Infinity", "-Infinity", "1e999", "1e308", "-1", "-0", "1e-999", "1.5", "86401", "127.5"]
    numbers += ["null", "true", "[]", "{}", "9" * 400, '"1"', '"1e5"', '"٣"', '"NaN"', '""', '" 1 "']
    numbers += [f'"{"1" * 5000}"']
    for number in numbers:
        for field in ("pitch", "start", "end", "velocity", "code"):
            note = {"pitch": "1", "start": "0", "end": "1", "velocity": "1"} | {field: number}
            code = note.pop("code", "200")
            inside = ",".join(f'"{name}":{value}' for name, value in note.items())
            data = f'{{"instruments":[{{"name":"Drums","notes":[{{{inside}}}]}}]}}'
            yield f'{{"taskId":"{field}","code":{code},"data":{data}}}'.encode()
    yield b'{"taskId": "a", "taskId": "b", "data": {"taskId": "c", "taskId": "d"}}'
    yield b'{"taskId": "a", "data": {"instruments": [], "instruments": [{"name": "Drums"}], "video_url": 1}}'
    yield b'{"code": NaN, "taskId": NaN, "msg": "\\ud800", "data": "\\udfff"}'
    yield b'{"taskId": "s", "data": {"instruments": [{"name": "\\ud800\\u0000\\u001b[2J", "notes": [' + NOTE + b"]}]}}"
    yield b'{"taskId": "n", "data": {"instruments": [{"name": "' + b"x" * 100_000 + b'", "notes": [' + NOTE + b"]}]}}"
    yield b'{"taskId": "i", "instruments": {"0": []}, "data": [[[]]]}'
    yield b'{"taskId": "j", "instruments": [null, 1, "a", [], {}, {"notes": null}, {"name": 1, "notes": {}}]}'
    yield b'{"taskId": "k", "instruments": [{"name": [], "notes": [null, 1, "a", [], {}, ' + NOTE + b"]}]}"
    yield b'{"taskId": "m", "instruments": [' + b'{"name":"Drums","notes":[' + NOTE + b"]}," * 2000 + b"1]}"
    yield b'{"taskId": {"a": 1}, "task_id": ["b"], "data": {"taskId": 1e999, "video_url": {"a": []}}}'
    for link in (
        "file:///etc/passwd",
        "javascript:1",
        "//a",
        "http://",
        "http://[",
        "http://a:99999/",
        "http://\\ud800/",
        "data:,a",
    ):
        yield b'{"data": {"task_id": "link", "video_url": "%s"}}' % link.encode()
    yield b'{"data": {"task_id": "l", "vocal_removal_info": [1]}}'
    yield b'{"data": {"task_id": "l", "vocal_removal_info": {"vocal_url": 5, "_url": "http://a", "": "http://b"}}}'


def documents() -> st.SearchStrategy[bytes]:
    """JSON with the names of a callback's fields and anything for their values, as bytes, at times damaged."""
    number = st.integers() | st.floats() | st.integers(-5, 200) | st.integers(0, 10**400)
    plain = st.none() | st.booleans() | number | st.text(st.characters(), max_size=20) | number.map(str)
    names = st.sampled_from(NAMES)

    def inner(value: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        return st.lists(value, max_size=4) | st.dictionaries(names, value, max_size=6)

    note = st.fixed_dictionaries(dict.fromkeys(("pitch", "start", "end", "velocity"), plain))
    tree = st.recursive(plain | note, inner, max_leaves=20)
    callback = st.dictionaries(names, tree, min_size=1, max_size=6).map(lambda it: {"data": it} | it)
    raw = callback.map(lambda it: json.dumps(it).encode())
    cut = st.tuples(raw, st.integers(0, 300)).map(lambda it: it[0][: it[1]])
    return raw | raw | raw | cut | st.binary(max_size=50)
