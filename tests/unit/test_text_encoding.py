"""The encoding of text files as they are found."""

import pytest

from antiphon.text_encoding import InDoubt, decode

LRC = "[00:01.00]{}\n[00:03.00]{}\n"
TEXTS = [
    ("早晨来得很慢", "过了那条河", "gb18030"),
    ("早晨來得很慢", "過了那條河", "big5"),
    ("我们都是好孩子", "异想天开的孩子", "gbk"),
    ("你問我愛你有多深", "月亮代表我的心", "big5"),
    ("朝がゆっくり来る", "川を渡って", "shift_jis"),
    ("朝がゆっくり来る", "川を渡って", "euc_jp"),
    ("ナミダ", "さくら", "shift_jis"),
    ("아침이 천천히 온다", "강을 건너", "euc_kr"),
    ("Утро приходит медленно", "Через реку", "cp1251"),
    ("Утро приходит медленно", "Через реку", "koi8_r"),
    ("L'été déjà là", "où ça, ma chère", "cp1252"),
    ("Schöne Grüße", "über den Fluß", "cp1252"),
    ("สวัสดีชาวโลก", "ฉันรักเธอ", "cp874"),
    ("我的心裏只有你", "佢哋嘅愛係咁樣嘅", "big5hkscs"),
    ("Kocham cię, moja miłością", "dziś śpiewam", "cp1250"),
    ("El niño “sueña”", "mañana", "cp1252"),
]


@pytest.mark.parametrize(("first", "second", "encoding"), TEXTS, ids=[f"{text[2]}-{text[0]}" for text in TEXTS])
def test_lyrics_in_a_legacy_encoding_are_read_as_they_were_written(first: str, second: str, encoding: str) -> None:
    text = LRC.format(first, second)
    assert decode(text.encode(encoding)) == text


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("words", [("The morning", "comes slowly"), ("早晨来得很慢", "过了那条河"), ("A", "é")])
def test_lyrics_in_unicode_are_read_with_and_without_a_mark(words: tuple[str, str], encoding: str) -> None:
    assert decode(LRC.format(*words).encode(encoding)) == LRC.format(*words)


@pytest.mark.parametrize(
    "data",
    [b"\xff\xfe\x00", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", b"la\0la\xe9", b"\x8a\xf6\xc0k\xe7\x8a\xef\xfb"],
)
def test_what_may_be_anything_is_refused(data: bytes) -> None:
    with pytest.raises(InDoubt):
        decode(data)


def test_an_empty_file_is_an_empty_text() -> None:
    assert decode(b"") == ""
