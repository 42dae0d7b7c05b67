"""Safe file and folder names from ids that other parties chose."""

import hashlib
import re
from pathlib import Path

from antiphon.receiver.inbox.inbox import Event

MAX_NAME_CHARS = 64  # characters of a name, all of them ASCII, so bytes too; a path on Windows has 259 in all
_DIGEST_DIGITS = 12  # hex digits of SHA-256 that keep apart what looks alike
_PLAIN = re.compile(r"[a-z0-9][a-z0-9_-]*")
_UNWANTED = re.compile(r"[^a-z0-9_-]+")
_RESERVED = re.compile(r"con|prn|aux|nul|(com|lpt)[0-9]")  # devices on Windows, with whatever suffix
# A name made here; an id that looks like one gets one, too.
_DIGESTED = re.compile(rf"--[0-9a-f]{{{_DIGEST_DIGITS}}}\Z")


def safe(text: str) -> str:
    """A file name for ``text``, on every file system its own: lower-case ASCII letters, digits, ``-`` and ``_``.

    A name that already is one stays as it is: 32 hex digits do. Any other loses what is not allowed, and gets the
    start of its SHA-256, so that two ids never share a name, even where case or Unicode's composition do not count.
    A dot never occurs, so neither does ``..``, a hidden file nor a suffix.
    """
    if (
        len(text) <= MAX_NAME_CHARS
        and _PLAIN.fullmatch(text)
        and not _RESERVED.fullmatch(text)
        and not _DIGESTED.search(text)
    ):
        return text
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGEST_DIGITS]
    words = _UNWANTED.sub("-", text[: 4 * MAX_NAME_CHARS].lower()).strip("-_")
    rest = words[: MAX_NAME_CHARS - _DIGEST_DIGITS - 2].rstrip("-_")
    return f"{rest or 'id'}--{digest}"


def folder_of(inbox: Path, event: Event) -> Path:
    """The folder of an event's files: ``<inbox>/<kind>/<task id>``, and ``.v2`` behind it for another outcome.

    It is not made here. An event without a task id has its own id instead.
    """
    name = safe(event.task_id) if event.task_id else f"event.{event.id}"
    return inbox / event.kind / (name if event.version == 1 else f"{name}.v{event.version}")
