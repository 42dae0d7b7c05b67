"""Character encoding of a text file: what it says by a byte order mark, UTF-8, UTF-16, or a legacy one by its bytes."""

import codecs
import re

MAX_DETECTION_BYTES = 20_000
MIN_LEAD = 1.5
"""How many times as likely as the next one an encoding must be, so that it is not in doubt."""

MAX_WESTERN_SHARE = 0.45
"""Of letters that are not ASCII, in Western European languages."""

MAX_WESTERN_RUN_BYTES = 2
MIN_UTF16_NULS_SHARE = 0.15
"""Of the bytes of UTF-16 that are zero, even where most characters are Chinese: each line end and bracket has one."""

MIN_UTF16_NULS = 2

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
LEGACY = {
    "gb18030": "gb18030",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "big5": "big5hkscs",
    "big5-hkscs": "big5hkscs",
    "big5hkscs": "big5hkscs",
    "cp950": "big5hkscs",
    "windows-1250": "cp1250",
    "windows-1253": "cp1253",
    "windows-1254": "cp1254",
    "iso-8859-9": "cp1254",
    "cp874": "cp874",
    "tis-620": "cp874",
    "cp866": "cp866",
    "ibm866": "cp866",
    "cp932": "cp932",
    "shift_jis": "cp932",
    "euc-jp": "euc_jp",
    "cp949": "cp949",
    "euc-kr": "cp949",
    "windows-1251": "cp1251",
    "koi8-r": "koi8_r",
    "koi8-u": "koi8_r",
}
"""Python's name of each legacy encoding that is recognised, by the detector's, in lower case."""

_READ = frozenset(LEGACY.values())
_LETTERS = re.compile(rb"[A-Za-z\x80-\xff]")
_SIGNS = re.compile(r"[^\W\d_][¡¢£¤¥¦§¨©ª«¬®¯°±²³´µ¶·¸¹º¼½¾¿×÷]|[¡¢£¤¥¦§¨©ª¬®¯°±²³´µ¶·¸¹º¼½¾×÷]{2}")
"""Signs within words, which other encodings have letters for."""

_HIGH = re.compile(rb"[\x80-\xff]+")


class InDoubt(ValueError):
    """The bytes are no text, or may be text in several encodings."""


def decode(data: bytes) -> str:
    """The text without a byte order mark.

    Raises:
        InDoubt: It cannot be told in which encoding it is.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _decoded(data, encoding)
    if (wide := _utf16(data)) is not None:
        return _decoded(data, wide)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return _decoded(data, _legacy(data))


def _decoded(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        raise InDoubt(f"no text in {encoding}, as it seems to be") from None


def _utf16(data: bytes) -> str | None:
    """UTF-16 without a mark, if these bytes are that: in ASCII characters every other byte is zero."""
    if len(data) < 4 or len(data) % 2:
        return None
    low, high = data[0::2].count(0), data[1::2].count(0)
    if low + high < max(MIN_UTF16_NULS, MIN_UTF16_NULS_SHARE * len(data)) or min(low, high) > 0.1 * max(low, high):
        return None
    encoding = "utf-16-le" if high > low else "utf-16-be"
    return encoding if _is_text(data, encoding) else None


def _legacy(data: bytes) -> str:
    if b"\0" in data:
        raise InDoubt("no text: it has zero bytes")
    if _is_western(data):
        return "cp1252"
    import chardet  # light, but for most texts not needed

    found: dict[str, float] = {}
    for guess in chardet.detect_all(_sample(data)):
        named = (guess["encoding"] or "").lower()
        encoding = LEGACY.get(named, named)
        if encoding and (encoding not in _READ or _is_text(data, encoding)):
            found[encoding] = max(found.get(encoding, 0.0), guess["confidence"])
    ranked = sorted(found, key=lambda encoding: -found[encoding])
    if not ranked or ranked[0] not in _READ:
        raise InDoubt("in an encoding that is not known")
    ranked = [encoding for encoding in ranked if encoding in _READ]
    if len(ranked) > 1 and found[ranked[0]] < MIN_LEAD * found[ranked[1]]:
        raise InDoubt(f"in {ranked[0]} or {ranked[1]}")
    return ranked[0]


def _is_western(data: bytes) -> bool:
    """Whether the letters beyond ASCII are few and stand among ASCII letters, as é and ß do."""
    runs = _HIGH.findall(data)
    high = sum(map(len, runs))
    if high > MAX_WESTERN_SHARE * len(_LETTERS.findall(data)) or max(map(len, runs)) > MAX_WESTERN_RUN_BYTES:
        return False
    return _is_text(data, "cp1252") and not _SIGNS.search(data.decode("cp1252"))


def _is_text(data: bytes, encoding: str) -> bool:
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        return False
    return all(character.isprintable() or character in "\t\r\n\u3000\xa0" for character in text)


def _sample(data: bytes) -> bytes:
    """The first lines, as many as the detector needs, not cut within a character."""
    if len(data) <= MAX_DETECTION_BYTES:
        return data
    return data[: data.rfind(b"\n", 0, MAX_DETECTION_BYTES) + 1 or MAX_DETECTION_BYTES]
