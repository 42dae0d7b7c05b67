"""Lyrics in every format that is read, each with what is sung when."""

import pytest

from antiphon.music.lyrics import Lyrics, parse
from antiphon.music.lyrics.entries import MAX_SHOWN_CHARS, TOO_MANY_REPEATS
from antiphon.music.lyrics.parsing import NOT_TIMED

SONG = 60.0
Shown = list[tuple[float, float, str]]


def shown(lyrics: Lyrics) -> Shown:
    return [(round(line.start, 3), round(line.end, 3), line.text) for line in lyrics.lines]


SRT = "1\n00:00:00,500 --> 00:00:02,000\nThe morning\n\n2\n00:00:02,000 --> 00:00:04,500\nOver the river\nand under\n"
VTT = (
    "WEBVTT - a song\n\nNOTE nothing\nto sing\n\nSTYLE\n::cue { color: red }\n\n"
    "00:00.500 --> 00:02.000 align:start\nOne &amp; two\n"
)
ASS = """[Script Info]
Title: x

[V4+ Styles]
Format: Name, Fontname
Style: Default,Arial

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
Comment: 0,0:00:00.00,0:00:09.00,Default,,0,0,0,,not shown
Dialogue: 0,0:00:04.00,0:00:05.00,Default,,0,0,0,,{\\an8}Later, with\\Na comma
Dialogue: 0,0:00:00.50,0:00:02.00,Default,,0,0,0,,{\\k30}The {\\k40}morn{\\k40}ing
Dialogue: 0,0:00:00.50,0:00:02.00,Default,,0,0,0,,{\\p1}m 0 0 l 100 0{\\p0}
"""
TTML = """<?xml version="1.0"?>
<tt xmlns="http://www.w3.org/ns/ttml" xmlns:ttm="http://www.w3.org/ns/ttml#metadata">
  <head><metadata><ttm:agent type="person" xml:id="v1"/><ttm:agent type="other" xml:id="v2"/></metadata></head>
  <body dur="20.0"><div begin="1.0" end="9.0">
    <p begin="1.0" end="3.0" ttm:agent="v1"><span begin="1.0" end="1.5">Hel</span><span
      begin="1.5" end="2.0">lo</span> <span begin="2.0" end="3.0">there</span></p>
    <p begin="4.0" end="6.0" ttm:agent="v2">Plain<br/>words<span ttm:role="x-bg"><span
      begin="5.0" end="6.0">(ooh</span> <span begin="5.5" end="6.0">ah)</span></span></p>
  </div></body>
</tt>"""

FORMATS: list[tuple[str, str, Shown]] = [
    ("srt", SRT, [(0.5, 2, "The morning"), (2, 4.5, "Over the river and under")]),
    ("srt without numbers", "00:00:01.000 --> 00:00:02.000\nLa\n", [(1, 2, "La")]),
    ("srt with hours", "1\n00:00:59,000 --> 01:00:02,000\nEnd", [(59, 60, "End")]),
    (
        "srt with markup",
        "1\n00:00:01,000 --> 00:00:02,000\n{\\an8}<i>La</i> <font color='red'>li</font>",
        [(1, 2, "La li")],
    ),
    (
        "srt with a cue of no words",
        "1\n00:00:01,000 --> 00:00:02,000\n\n2\n00:00:03,000 --> 00:00:04,000\nLa",
        [(3, 4, "La")],
    ),
    ("webvtt", VTT, [(0.5, 2, "One & two")]),
    (
        "webvtt out of order",
        "WEBVTT\n\n00:05.000 --> 00:06.000\nB\n\n00:01.000 --> 00:02.000\nA",
        [(1, 2, "A"), (5, 6, "B")],
    ),
    ("ass", ASS, [(0.5, 1.6, "The morning"), (4, 5, "Later, with a comma")]),
    ("ass of one line", "Dialogue: 0,0:00:01.00,0:00:02.00,,,0,0,0,,La", [(1, 2, "La")]),
    ("ttml", TTML, [(1, 3, "Hello there"), (4, 6, "Plain words")]),
    ("lrc", "[00:01.00]La\n[00:02.00]", [(1, 2, "La")]),
    (
        "credits in json",
        '{"t":0,"c":[{"tx":"作词: "},{"tx":"山水"}]}\n[00:01.00]早晨',
        [(0, 1, "作词: 山水"), (1, 11, "早晨")],
    ),
    ("a line in braces", "[00:01.00]La\n[00:02.00]{whispered}\n[00:03.00]", [(1, 2, "La"), (2, 3, "{whispered}")]),
]


@pytest.mark.parametrize(("text", "lines"), [case[1:] for case in FORMATS], ids=[case[0] for case in FORMATS])
@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_lines_and_their_times_are_read(text: str, lines: Shown, ends: str) -> None:
    lyrics = parse("\ufeff" + text.replace("\n", ends), SONG)
    assert shown(lyrics) == lines
    assert lyrics.timed


def test_times_within_a_cue_are_those_of_its_words() -> None:
    [line] = parse("WEBVTT\n\n00:01.000 --> 00:04.000\nOne <00:02.000><c>two</c> <00:03.000>three", SONG).lines
    assert [(word.text, word.start) for word in line.words] == [("One ", 1), ("two ", 2), ("three", 3)]


def test_karaoke_times_are_those_of_the_syllables() -> None:
    line = parse(ASS, SONG).lines[0]
    assert [(word.text, round(word.start or 0, 3), round(word.end or 0, 3)) for word in line.words] == [
        ("The ", 0.5, 0.8),
        ("morn", 0.8, 1.2),
        ("ing", 1.2, 1.6),
    ]


def test_the_words_of_a_paragraph_have_their_times_from_the_song_or_from_its_start() -> None:
    words = [(word.text, word.start) for word in parse(TTML, SONG).lines[0].words]
    assert words == [("Hel", 1), ("lo ", 1.5), ("there", 2)]
    relative = (
        '<tt xmlns="http://www.w3.org/ns/ttml"><body><div><p begin="10s" end="14s">'
        '<span begin="1s">A</span> <span begin="2500ms">B</span></p></div></body></tt>'
    )
    assert [(word.text, word.start) for word in parse(relative, SONG).lines[0].words] == [("A ", 11), ("B", 12.5)]


@pytest.mark.parametrize(
    ("clock", "seconds"),
    [
        ("00:00:05.5", 5.5),
        ("5.5s", 5.5),
        ("5500ms", 5.5),
        ("0:05.5", 5.5),
        ("00:00:05:15", 5.5),
        ("0.1m", 6),
        ("165f", 5.5),
    ],
)
def test_a_time_of_ttml_may_be_written_in_any_way(clock: str, seconds: float) -> None:
    text = f'<tt xmlns="http://www.w3.org/ns/ttml"><body><div><p begin="{clock}">La</p></div></body></tt>'
    assert parse(text, SONG).lines[0].start == pytest.approx(seconds)


@pytest.mark.parametrize(
    "text",
    [
        "[00:01.00]v1: One\n[00:02.00]v2: Two\n[00:03.00]v1: <00:03.00>Three\n[00:04.00]D: All",
        "[00:01.00]F: One\n[00:02.00]M：Two\n[00:03.00]F: Three\n[00:04.00]D: All",
        "WEBVTT\n\n00:01.000 --> 00:02.000\n<v Anna>One\n\n00:02.000 --> 00:03.000\n<v Ben>Two\n\n"
        "00:03.000 --> 00:04.000\n<v.loud Anna>Three\n\n00:04.000 --> 00:05.000\n<v both>All",
        "[Events]\nDialogue: 0,0:00:01.00,0:00:02.00,,A,0,0,0,,One\nDialogue: 0,0:00:02.00,0:00:03.00,,B,0,0,0,,Two\n"
        "Dialogue: 0,0:00:03.00,0:00:04.00,,A,0,0,0,,Three\nDialogue: 0,0:00:04.00,0:00:05.00,,all,0,0,0,,All",
    ],
)
def test_the_singers_of_a_duet_are_told_apart(text: str) -> None:
    lines = parse(text, SONG).lines
    assert [(line.text, line.singer) for line in lines] == [
        ("One", "first"),
        ("Two", "second"),
        ("Three", "first"),
        ("All", "both"),
    ]


def test_a_singer_sings_on_until_another_one_is_named() -> None:
    lines = parse("[00:01]F: One\n[00:02]Two\n[00:03]M: Three\n[00:04]Four", SONG).lines
    assert [line.singer for line in lines] == ["first", "first", "second", "second"]


def test_a_single_singer_is_no_duet_and_a_letter_alone_no_singer() -> None:
    assert [(line.text, line.singer) for line in parse("[00:01]v1: One\n[00:02]v1: Two", SONG).lines] == [
        ("One", None),
        ("Two", None),
    ]
    assert parse("[00:01]D: a chord\n[00:02]La", SONG).lines[0].text == "D: a chord"


def test_background_voices_stand_with_the_line_that_they_accompany() -> None:
    lines = parse("[00:01]v1: One\n[bg: <00:01.50>ooh <00:01.80>ah]\n[00:02]v2: Two", SONG).lines
    assert [(line.text, line.background) for line in lines] == [("One", "ooh ah"), ("Two", "")]
    assert parse(TTML, SONG).lines[1].background == "(ooh ah)"


@pytest.mark.parametrize("text", ["La\nLi", "[00:00.00]La\n[00:00.00]Li", "[00:00]La\n[00:00]Li\nLo"])
def test_lyrics_whose_times_say_nothing_are_told_as_untimed(text: str) -> None:
    lyrics = parse(text, SONG)
    assert not lyrics.timed
    assert lyrics.warnings == (NOT_TIMED,)
    assert [line.text for line in lyrics.lines][:2] == ["La", "Li"]
    assert lyrics.lines[-1].end == SONG


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("1\n00:00:01,000 --> 00:00:02,000\nLa\n\n2\n00:00:xx,000 --> 00:00:04,000\nLi", "line 6: no time"),
        (
            "[Events]\nDialogue: 0,soon,0:00:02.00,,,0,0,0,,La\nDialogue: 0,0:00:03.00,0:00:04.00,,,0,0,0,,Li",
            "line 2: no time",
        ),
        ('{"t":"soon","c":[]}\n[00:01.00]La', "line 1: no lyrics"),
        ("<tt><body>", "line 1: TTML that cannot be read"),
        ('<!DOCTYPE tt [<!ENTITY a "b">]><tt/>', "DOCTYPE"),
        ("<tt><body><div/></body></tt>", "line 1: no lyrics"),
        ("[offset:soon]\n[00:01.00]La", "line 1: an offset"),
    ],
)
def test_what_is_not_understood_is_told_with_its_line(text: str, told: str) -> None:
    assert any(told in warning for warning in parse(text, SONG).warnings) or "DOCTYPE" in told


REPEATS = [
    "".join(f"[{n // 60}:{n % 60}.{n % 7}]" for n in range(5000)) + "<0:1>a" * 8000,
    "[0:1]" * 10_000 + "la " * 16_000,
    "".join(f"[{n // 60}:{n % 60}]" for n in range(200)) + "x" * 90_000,
    "[00:01.00]" * 4500 + "<00:01.00>la " * 4500,
]


@pytest.mark.parametrize("text", REPEATS, ids=["times and words", "one time", "a long line", "stamps of a line"])
def test_lines_that_come_back_thousands_of_times_are_cut_and_named(text: str) -> None:
    lyrics = parse(text, 4000.0)
    shown = sum(len(word.text) + 1 for line in lyrics.lines for word in line.words)
    assert shown < 2 * (MAX_SHOWN_CHARS + len(text))
    assert any(TOO_MANY_REPEATS in warning for warning in lyrics.warnings)


def test_a_line_that_comes_back_a_hundred_times_is_kept_whole() -> None:
    stamps = "".join(f"[{second // 60:02}:{second % 60:02}.00]" for second in range(100))
    found = parse(f"{stamps}la la la", 180.0)
    assert (len(found.lines), found.warnings) == (100, ())


@pytest.mark.parametrize(
    "text",
    [
        "[" + ":" * 90_000,
        "WEBVTT\n\n00:01.000 --> 00:02.000\n" + "<v " * 30_000,
        "WEBVTT\n\n00:01.000 --> 00:02.000\n<v" + " " * 90_000,
        "{\\" * 45_000,
        "<tt>" + "<div>" * 15_000,
    ],
)
def test_text_that_only_looks_like_a_format_is_read_to_its_end(text: str) -> None:
    lyrics = parse(text, SONG)
    assert sum(len(line.text) for line in lyrics.lines) <= len(text)


TWO = [(1.0, 2.0, "hi"), (3.0, 4.0, "ho")]
AS_FOUND: list[tuple[str, str, Shown]] = [
    ("cues without a row between", "WEBVTT\n00:01.000 --> 00:02.000\nhi\n00:03.000 --> 00:04.000\nho", TWO),
    (
        "numbers without a row between",
        "1\n00:00:01,000 --> 00:00:02,000\nhi\n2\n00:00:03,000 --> 00:00:04,000\nho",
        TWO,
    ),
    ("double rows", "1\n\n00:00:01,000 --> 00:00:02,000\n\nhi\n\n2\n\n00:00:03,000 --> 00:00:04,000\n\nho\n", TWO),
    ("seconds without fractions", "00:00:01 --> 00:00:02\nhi\n\n00:00:03 --> 00:00:04\nho", TWO),
    ("joined files with marks", "\ufeff[00:01.00]hi\n[00:02.00]\n\ufeff[00:03.00]ho\n[00:04.00]", TWO),
    ("fractions of a microsecond", "[00:01.000000]hi\n[00:02.0000]\n[00:03.00]ho\n[00:04.0]", TWO),
    (
        "an entity for a space",
        '<tt><body><p begin="1s" end="2s">hi</p><p begin="3s" end="4s">ho&nbsp;</p></body></tt>',
        TWO,
    ),
    ("a line that looks like ASS", "[00:01.00]Dialogue: hi\n[00:02.00]", [(1, 2, "Dialogue: hi")]),
    (
        "a line that looks like a cue file",
        "[00:01.00]hi\n[00:02.00]\nWEBVTT rocks",
        [(1, 2, "hi"), (5, 15, "WEBVTT rocks")],
    ),
    ("the same line twice", "[00:01.00]hi\n[00:01.00]hi\n[00:02.00]", [(1, 2, "hi")]),
    (
        "a line again behind its translation",
        "[00:01.00]hi\n[00:01.00]ho\n[00:01.00]hi\n[00:02.00]",
        [(1, 2, "hi / ho")],
    ),
    ("no translation", "[00:01.00]hi\n[00:01.00]//\n[00:02.00]", [(1, 2, "hi")]),
    ("a Chinese name in brackets", "[00:01.00][女:我爱你]\n[00:02.00]", [(1, 2, "[女:我爱你]")]),
    ("a cue without length", "00:00:05,000 --> 00:00:05,000\nhi", [(5, 15, "hi")]),
    (
        "only a background voice",
        '<tt xmlns:m="http://www.w3.org/ns/ttml#metadata"><body><p begin="1s" end="2s">'
        '<span m:role="x-bg">ooh</span></p></body></tt>',
        [(1, 2, "ooh")],
    ),
]


@pytest.mark.parametrize(("text", "lines"), [case[1:] for case in AS_FOUND], ids=[case[0] for case in AS_FOUND])
def test_files_are_read_as_people_have_them(text: str, lines: Shown) -> None:
    assert shown(parse(text, SONG)) == lines


def test_background_voices_may_have_a_time_before_them() -> None:
    assert [(line.text, line.background) for line in parse("[00:01]One\n[00:02][bg:ooh]\n[00:03]Two", SONG).lines] == [
        ("One", "ooh"),
        ("Two", ""),
    ]


@pytest.mark.parametrize("text", ["&#" + "9" * 5000 + ";", "<v &#" + "9" * 5000 + ";>x", "&#x" + "f" * 50 + ";"])
def test_a_reference_to_no_character_is_left_out(text: str) -> None:
    assert len(parse(f"00:00:01,000 --> 00:00:02,000\nhi {text}", SONG).lines) == 1


def test_credits_bring_no_control_characters_in() -> None:
    [line] = parse('{"t":1000,"c":[{"tx":"a\\u0000\\u001bb\\ud800"}]}', SONG).lines
    assert (line.text, line.start) == ("ab", 1.0)
