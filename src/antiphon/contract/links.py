"""Links to artifacts: the parts that a receiver may read, such as the expiry."""

import base64
import re

_FILES = "/files/"
_TOKEN = re.compile(r"[A-Za-z0-9_-]{32,4096}")
_MAC_BYTES = 16  # the signature, before the version; see antiphon.links
_HEAD_BYTES = _MAC_BYTES + 6  # then the version and five bytes of expiry
_VERSION = 1


def target_of(link: str) -> str:
    """What a link leads to, without what is made anew each time, so that two links to one file compare equal.

    Left out is the query; and in a link of our server the signature and the expiry, which moves when the files are kept
    for longer because something is made of them.
    """
    bare = link.partition("#")[0].partition("?")[0]
    base, found, rest = bare.partition(_FILES)
    token = rest.partition("/")[0]  # the file's name behind it is for people
    if not found or not _TOKEN.fullmatch(token) or len(token) % 4 == 1:
        return bare
    raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    key, nul, filename = raw[_HEAD_BYTES:].partition(b"\0")
    if raw[_MAC_BYTES] != _VERSION or not key or not nul:
        return bare
    return f"{base}{_FILES}{key.hex()}/{filename.hex()}"
