"""Content fingerprint of a result, by which repeats of an outcome are recognised.

A callback, its repeat and the record that polling finds tell the same outcome in different words: numbers as texts,
links that were signed anew, another message for the same failure. They have the same digest; another result has
another.
"""

import hashlib
import json
import struct
from collections.abc import Iterator, Mapping
from typing import Any

from antiphon.contract.links import target_of
from antiphon.contract.results import FailedResult, MidiResult, Result, UnknownResult, VideoResult, WavResult

_FIELDS = ("pitch", "start", "end", "velocity")
_NOTE = struct.Struct("<4d")
_BATCH_NOTES = 1000  # notes


def digest(result: Result, instruments: Any, document: Mapping[str, Any]) -> bytes:
    """SHA-256 of an outcome. ``instruments`` are those of the document, with plain notes folded (``fold``), since
    ``result`` may have been read without them.

    Without a task id there is nothing but the document to go by, and of an unknown kind nobody knows what counts.
    """
    hasher = hashlib.sha256()
    for part in _parts(result, instruments, document):
        hasher.update(part)
    return hasher.digest()


def fold(pairs: list[tuple[str, Any]]) -> Any:
    """For ``json.loads(object_pairs_hook=…)``: an object as a dict, but a plain note as the 32 bytes of its numbers,
    a tenth of the memory."""
    if len(pairs) != 4:
        return dict(pairs)
    (first, pitch), (second, start), (third, end), (fourth, velocity) = pairs
    try:
        if (first, second, third, fourth) == _FIELDS:  # nearly always; adding zero turns -0 into 0
            return _NOTE.pack(pitch + 0.0, start + 0.0, end + 0.0, velocity + 0.0)
    except (TypeError, OverflowError):
        return _pack(dict(pairs)) or dict(pairs)
    return _pack(dict(pairs)) or dict(pairs)


def _parts(result: Result, instruments: Any, document: Mapping[str, Any]) -> Iterator[bytes]:
    if not result.task_id or isinstance(result, UnknownResult):
        yield from (b"document\n", _canonical(document))
    elif isinstance(result, FailedResult):
        yield b"failed\n"
    elif isinstance(result, MidiResult):
        yield b"midi\n"
        yield from _instruments(instruments)
    elif isinstance(result, VideoResult):
        yield from (b"video\n", _link(result.video_url))
    elif isinstance(result, WavResult):
        yield from (b"wav\n", _link(result.wav_url))
    else:
        yield b"separation\n"
        yield from (_canonical(name) + _link(link) for name, link in sorted(result.stems.items()))


def _instruments(instruments: Any) -> Iterator[bytes]:
    for instrument in instruments if isinstance(instruments, list) else []:
        if not isinstance(instrument, dict):
            yield _canonical(instrument)
            continue
        notes = instrument.get("notes")
        found = notes if isinstance(notes, list) else []
        yield _canonical([instrument.get("name"), len(found)])
        for start in range(0, len(found), _BATCH_NOTES):
            yield from _notes(found[start : start + _BATCH_NOTES])


def _notes(notes: list[Any]) -> Iterator[bytes]:
    read = [note if isinstance(note, bytes) else _loose(note) for note in notes]
    if all(isinstance(note, bytes) for note in read):
        yield b"".join(read)
    else:
        yield _canonical(read)


def _loose(note: Any) -> Any:
    """A note that is no plain one: with fields of its own, or malformed."""
    if not isinstance(note, dict):
        return note
    return _pack(note) or [note.get(name) for name in _FIELDS]


def _pack(note: Mapping[str, Any]) -> bytes | None:
    try:
        return _NOTE.pack(*(float(note[name]) + 0.0 for name in _FIELDS))
    except (KeyError, TypeError, ValueError, OverflowError):
        return None


def _link(link: str) -> bytes:
    """A link without what is signed anew each time."""
    return _canonical(target_of(link))


def _canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), default=_NOTE.unpack).encode("ascii") + b"\n"
