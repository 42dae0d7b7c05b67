"""Typed results of callbacks, read tolerantly from any sender. The document itself is always kept whole."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from antiphon.contract.kinds import callback_key
from antiphon.contract.lenient import MISSING, Problems, link, number, shown
from antiphon.contract.unified_callback import separate_form
from antiphon.errors import BadParameter
from antiphon.score.notes import Note

Document = Mapping[str, Any]
ResultKind = Literal["midi", "video", "separation", "wav", "unknown"]

MAX_SONG_S = 86_400.0
"""Seconds; a note that lies later is malformed."""
MAX_STEMS = 64
"""Links that are read of one separation; the documented API has 14 stems."""

_ID_FIELDS = ("taskId", "task_id")
_CONTENT: tuple[tuple[str, ResultKind], ...] = (
    ("instruments", "midi"),
    ("video_url", "video"),
    ("videoUrl", "video"),
    ("vocal_removal_info", "separation"),
    ("vocal_separation_info", "separation"),
    ("vocalRemovalInfo", "separation"),
    ("vocalSeparationInfo", "separation"),
    ("audioWavUrl", "wav"),
    ("audio_wav_url", "wav"),
)
"""Fields by which a callback's kind is known, in the spellings of all editions."""
_MIDI_STATES = ("complete", "failed")
_FAILED_STATES = ("failed", "failure", "error")
_ORIGIN = "origin"
_LINK_SUFFIX = callback_key("")
_CAMEL_LINK = re.compile(r"([a-z]+(?:[A-Z][a-z]+)*)Url")
_LEFT_OVER, _EFFECTS = "other", "fx"  # one file under two names


@dataclass(frozen=True, slots=True)
class Instrument:
    """``name`` is a General MIDI Level 1 name, or ``Drums``, or whatever the sender called it."""

    name: str
    notes: tuple[Note, ...]


@dataclass(frozen=True)
class MidiResult:
    """``problems`` says, a line each, what in the document could not be read and was left out."""

    task_id: str
    instruments: tuple[Instrument, ...]
    problems: tuple[str, ...]
    document: Document


@dataclass(frozen=True)
class VideoResult:
    """``thumbnail_url`` leads to a JPEG of one frame; None where the sender makes none."""

    task_id: str
    video_url: str
    problems: tuple[str, ...]
    document: Document
    thumbnail_url: str | None = None


@dataclass(frozen=True)
class SeparationResult:
    """``stems`` are links by the stem's name (``vocal``, ``backing_vocals``, …), only those that were made."""

    task_id: str
    stems: Mapping[str, str]
    origin_url: str | None
    problems: tuple[str, ...]
    document: Document


@dataclass(frozen=True)
class WavResult:
    """``wav_url`` leads to the track as WAV."""

    task_id: str
    wav_url: str
    problems: tuple[str, ...]
    document: Document


@dataclass(frozen=True)
class FailedResult:
    """A task that failed, or says that it succeeded and has no link to show for it; ``message`` says why."""

    task_id: str
    kind: ResultKind
    code: int | None
    message: str
    document: Document


@dataclass(frozen=True)
class UnknownResult:
    """JSON that is none of the callbacks we know."""

    task_id: str
    code: int | None
    document: Document


Result = MidiResult | VideoResult | SeparationResult | WavResult | FailedResult | UnknownResult


def read_result(document: object) -> Result:
    """Typed result of a callback's JSON, read as tolerantly as can be done without guessing.

    The task id and the content may stand at the top or in ``data``, numbers may be numeric strings. Instruments, notes
    and stems that are malformed are left out and named in ``problems``. A code other than 200, a state of "failed" or
    a success without its link is a ``FailedResult``.

    Raises:
        BadParameter: ``document`` is no JSON object. Nothing else is raised.
    """
    if not isinstance(document, Mapping):
        raise BadParameter(f"the callback is {shown(document)}; expected a JSON object")
    problems = Problems()
    document = separate_form(document)
    data = _data(document)
    task_id = _task_id(document, data, problems)
    kind, content = _content(document, data)
    code = _code(document.get("code"))
    if code not in (None, 200) or _state(document, data) in _FAILED_STATES:
        return FailedResult(task_id, kind, code, _explain(document, data), document)
    if kind == "midi":
        instruments = _instruments(content, problems)
        return MidiResult(task_id, instruments, problems.lines(), document)
    if kind == "unknown":
        return UnknownResult(task_id, code, document)
    if kind == "video":
        if url := link(content):
            thumbnail = link(_first(data, document, "thumbnail_url", "thumbnailUrl"))
            return VideoResult(task_id, url, problems.lines(), document, thumbnail)
        why = f"video_url is {shown(content)}; expected an http or https link"
        return FailedResult(task_id, kind, code, f"no failure is announced, but {why}", document)
    if kind == "wav":
        if url := link(content):
            return WavResult(task_id, url, problems.lines(), document)
        why = f"audioWavUrl is {shown(content)}; expected an http or https link"
        return FailedResult(task_id, kind, code, f"no failure is announced, but {why}", document)
    stems = _stems(content, problems)
    origin = stems.pop(_ORIGIN, None)
    if not stems:
        why = f"vocal_removal_info is {shown(content)} without a link to a stem"
        return FailedResult(task_id, kind, code, f"no failure is announced, but {why}", document)
    return SeparationResult(task_id, stems, origin, problems.lines(), document)


def kind_of(document: Document) -> ResultKind:
    """Which kind of task announces itself, told by the names of fields: a failed task has them too, empty or null."""
    document = separate_form(document)
    return _content(document, _data(document))[0]


def _data(document: Document) -> Document:
    data = document.get("data")
    return data if isinstance(data, Mapping) else {}


def _content(document: Document, data: Document) -> tuple[ResultKind, object]:
    for name, kind in _CONTENT:
        for fields in (data, document):
            if name in fields:
                return kind, fields[name]
    # Of the documented callbacks only MIDI's has a state: this is one that came without its instruments.
    return ("midi" if data.get("state") in _MIDI_STATES else "unknown"), MISSING


def _first(data: Document, document: Document, *names: str) -> object:
    return next((fields[name] for fields in (data, document) for name in names if name in fields), None)


def _task_id(document: Document, data: Document, problems: Problems) -> str:
    """The first that there is, the top before ``data``."""
    first = ""
    for name, value in ((name, fields.get(name)) for fields in (document, data) for name in _ID_FIELDS):
        if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() <= 64:
            value = str(value)
        if isinstance(value, str) and value:
            first = first or value
            if value != first:
                problems.add(name, value, f"the task id that stands before it, {shown(first)}")
    return first


def _code(value: object) -> int | None:
    found = number(value, -(2.0**31), 2.0**31)
    return None if found is None or found != int(found) else int(found)


def _state(document: Document, data: Document) -> str:
    state = data.get("state", document.get("state"))
    return state.lower() if isinstance(state, str) else ""


def _explain(document: Document, data: Document) -> str:
    for fields, name in ((document, "msg"), (data, "msg"), (data, "errorMessage")):
        value = fields.get(name)
        if isinstance(value, str) and value and value != "success":
            return value
    return "the callback does not say why"


def _stems(info: object, problems: Problems) -> dict[str, str]:
    """Links by the stem's name, the origin's among them; a stem that was not made is null or empty."""
    found: dict[str, str] = {}
    for key, value in info.items() if isinstance(info, Mapping) else ():
        stem = _stem_of(key)
        if stem is None or value in (None, ""):
            continue
        url = link(value)
        if url is None:
            problems.add(key, value, "an http or https link")
        elif len(found) > MAX_STEMS:
            problems.add(key, value, f"{MAX_STEMS} stems at most")
        else:
            found[stem] = url
    if found.get(_EFFECTS) == found.get(_LEFT_OVER, MISSING):
        del found[_EFFECTS]
    return found


def _stem_of(key: str) -> str | None:
    """``backing_vocals_url`` and ``backingVocalsUrl`` → ``backing_vocals``; None for what names no link."""
    if key.endswith(_LINK_SUFFIX):
        return key.removesuffix(_LINK_SUFFIX) or None
    camel = _CAMEL_LINK.fullmatch(key)
    return re.sub("[A-Z]", lambda letter: f"_{letter[0].lower()}", camel[1]) if camel else None


def _instruments(items: object, problems: Problems) -> tuple[Instrument, ...]:
    if not isinstance(items, list):
        problems.add("instruments", items, "an array")
        return ()
    found: list[Instrument] = []
    for order, item in enumerate(items):
        where = f"instruments[{order}]"
        if not isinstance(item, Mapping):
            problems.add(where, item, "an object with name and notes")
            continue
        name = item.get("name", MISSING)
        if not isinstance(name, str) or not name.strip():
            problems.add(f"{where}.name", name, "the name of an instrument")
            name = ""
        notes = item.get("notes", MISSING)
        if not isinstance(notes, list):
            problems.add(f"{where}.notes", notes, "an array")
            notes = []
        found.append(Instrument(name.strip(), _notes(notes, where, problems)))
    return tuple(found)


def _notes(items: list[Any], where: str, problems: Problems) -> tuple[Note, ...]:
    found: list[Note] = []
    keep = found.append
    for order, item in enumerate(items):
        if type(item) is Note:  # read by who parsed the document
            keep(item)
            continue
        try:
            pitch, start, end, velocity = item["pitch"], item["start"], item["end"], item["velocity"]
            # The comparisons refuse NaN; what is no plain number, or not in order, is looked at more closely.
            plain = type(pitch) is int and type(start) is float and type(end) is float and type(velocity) is float
            if plain and 0 <= pitch <= 127 and 0.0 <= start <= end <= MAX_SONG_S and 0.0 <= velocity <= 1.0:
                keep(Note(pitch, start, end, velocity))
                continue
        except (KeyError, TypeError):
            pass
        if note := _odd_note(item, where, order, problems):
            keep(note)
    return tuple(found)


def _odd_note(item: object, where: str, order: int, problems: Problems) -> Note | None:
    """A note whose numbers are integers or texts; None for one that is malformed."""
    fields: Document = item if isinstance(item, Mapping) else {}
    pitch = number(fields.get("pitch"), 0, 127)
    start = number(fields.get("start"), 0, MAX_SONG_S)
    end = number(fields.get("end"), start or 0, MAX_SONG_S)
    velocity = number(fields.get("velocity"), 0, 1)
    if pitch is not None and start is not None and end is not None and velocity is not None and pitch == int(pitch):
        return Note(int(pitch), start, end, velocity)
    place = f"{where}.notes[{order}]"
    if not isinstance(item, Mapping):
        problems.add(place, item, "an object with pitch, start, end and velocity")
        return None
    if pitch is None or pitch != int(pitch):
        wrong, expected = "pitch", "a whole number from 0 to 127"
    elif start is None:
        wrong, expected = "start", f"seconds from 0 to {MAX_SONG_S:.0f}"
    elif end is None:
        wrong, expected = "end", f"seconds from start, {start:g}, to {MAX_SONG_S:.0f}"
    else:
        wrong, expected = "velocity", "a number from 0 to 1"
    problems.add(f"{place}.{wrong}", fields.get(wrong, MISSING), expected)
    return None
