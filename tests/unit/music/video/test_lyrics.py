from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon.music.video.lyrics import Line, Lyrics, parse

SONG = 180.0


def shown(lyrics: Lyrics) -> list[tuple[float, float, str]]:
    return [(round(line.start, 3), round(line.end, 3), line.text) for line in lyrics.lines]


def sung_at(line: Line, seconds: float) -> str:
    return line.text[: int(line.sung(seconds))]


def test_each_line_is_current_from_its_time_to_the_next_ones() -> None:
    lyrics = parse("[00:10.50]One\n[00:14.2]Two\n[01:02.005]Three\n", SONG)
    assert shown(lyrics) == [(10.5, 14.2, "One"), (14.2, 24.2, "Two"), (62.005, 72.005, "Three")]
    assert [lyrics.current(at) for at in (0, 10.5, 14.19, 14.2, 30, 62.1, 100)] == [None, 0, 0, 1, None, 2, None]
    assert [lyrics.following(at) for at in (0, 10.5, 14.2, 30, 62.1)] == [0, 1, 2, 2, None]
    assert lyrics.warnings == ()


def test_an_empty_line_ends_the_line_before_it() -> None:
    assert shown(parse("[00:10]One\n[00:13]\n[00:20]Two\n[00:21]", SONG)) == [(10, 13, "One"), (20, 21, "Two")]


def test_the_last_line_ends_with_the_song() -> None:
    assert shown(parse("[00:05.0]End", 8.5)) == [(5, 8.5, "End")]


def test_a_line_with_several_times_comes_back_at_each() -> None:
    lyrics = parse("[00:20.00][01:00.00]Chorus\n[00:10.00]Verse\n[00:30.00]Verse two", SONG)
    assert [(line.start, line.text) for line in lyrics.lines] == [
        (10, "Verse"),
        (20, "Chorus"),
        (30, "Verse two"),
        (60, "Chorus"),
    ]
    assert lyrics.warnings == ()


def test_an_offset_moves_everything_sooner_and_a_negative_one_later() -> None:
    assert parse("[offset:+500]\n[00:10.00]One", SONG).lines[0].start == 9.5
    late = parse("[offset: -1500]\n[00:10.00]<00:10.00>One <00:11.00>two", SONG).lines[0]
    assert [(word.text, word.start) for word in late.words] == [("One ", 11.5), ("two", 12.5)]


def test_tags_about_the_song_and_headings_are_not_sung() -> None:
    text = "\ufeff[ti:A song]\r\n[ar:Somebody]\r\n[#:made by hand]\r\n[Chorus]\r\n[00:01.00]La\r\n[00:02.00][Solo]\r\n"
    assert [line.text for line in parse(text, SONG).lines] == ["La", "[Solo]"]
    assert [line.text for line in parse("[Verse 1]\nLa la\n\n[Chorus: loud]\nLi li", SONG).lines] == ["La la", "Li li"]


def test_words_with_times_are_sung_one_after_the_other() -> None:
    line = parse("[00:10.00]<00:10.00>Hello <00:11.00>my <00:11.50>world<00:12.50>\n[00:20]Next", SONG).lines[0]
    assert (line.start, line.end, line.text) == (10, 12.5, "Hello my world")
    assert [sung_at(line, at) for at in (9, 10, 10.5, 11, 11.5, 12, 12.5, 15)] == [
        "",
        "",
        "Hel",
        "Hello ",
        "Hello my ",
        "Hello my wo",
        "Hello my world",
        "Hello my world",
    ]


def test_the_first_word_may_have_the_lines_own_time_and_a_held_word_does_not_creep() -> None:
    line = parse("[00:10.00]Oh <00:18.00>yes", SONG).lines[0]
    assert [(word.text, word.start, word.end) for word in line.words] == [("Oh ", 10, 12), ("yes", 18, 20)]


def test_words_with_times_in_square_brackets_or_without_a_time_for_their_line_are_read_too() -> None:
    line = parse("[00:10.00]One [00:11.00]two\n<00:12.00>three <00:13.00>four", SONG).lines[1]
    assert (line.start, line.words[1].start) == (12, 13)
    assert parse("[00:10.00]One [00:11.00]two", SONG).lines[0].words[1].start == 11


def test_the_words_of_a_line_that_comes_back_move_with_it() -> None:
    again = parse("[00:10.00][00:40.00]<00:10.00>La <00:11.00>li", SONG).lines[1]
    assert [word.start for word in again.words] == [40, 41]


def test_a_line_without_word_times_is_sung_when_it_starts() -> None:
    line = parse("[00:10.00]All at once", SONG).lines[0]
    assert (sung_at(line, 9.99), sung_at(line, 10)) == ("", "All at once")


def test_two_lines_of_one_time_are_shown_together() -> None:
    lyrics = parse("[00:10.00]你好\n[00:10.00]Hello\n[00:15.00]再见", SONG)
    assert shown(lyrics) == [(10, 15, "你好 / Hello"), (15, 25, "再见")]


def test_plain_text_is_spread_over_the_song_by_length() -> None:
    lyrics = parse("Short\n\nA line that is longer than the first one by far\n", 60)
    first, second = lyrics.lines
    assert (first.start, first.end, second.end) == (0, second.start, 60)
    assert first.end - first.start < (second.end - second.start) / 2
    assert lyrics.warnings == ()


def test_plain_text_without_line_breaks_is_broken_at_spaces() -> None:
    lines = parse("la li lo " * 100, SONG).lines
    assert len(lines) > 5
    assert all(len(line.text) <= 90 and line.text[0] == "l" for line in lines)


@pytest.mark.parametrize("text", ["", "\n\n", "[ti:Nothing]", "[00:10.00]", "[00:10.00]\n[00:12.00]  "])
def test_nothing_to_sing_is_no_lines(text: str) -> None:
    found = parse(text, SONG)
    assert (found.lines, found.warnings) == ((), ())


def test_a_line_with_an_unreadable_time_stands_between_its_neighbours() -> None:
    lyrics = parse("[00:10.00]One\n[xx:yy.zz]Two\n[0O:17.00]Three\n[00:16.00]Four\nFive", SONG)
    assert [(line.start, line.text) for line in lyrics.lines] == [
        (10, "One"),
        (12, "Two"),
        (14, "Three"),
        (16, "Four"),
        (19, "Five"),
    ]
    assert lyrics.warnings == ("'lyrics': lines 2, 3, 5: no time that can be read; put between its neighbours",)


def test_if_no_time_can_be_read_the_lines_are_spread_as_plain_text() -> None:
    lyrics = parse("[aa:bb]One\n[cc:dd]Two", 60)
    assert [line.text for line in lyrics.lines] == ["One", "Two"]
    assert lyrics.lines[-1].end == 60
    assert "lines 1, 2" in lyrics.warnings[0]


def test_times_out_of_order_are_put_in_order_and_named() -> None:
    lyrics = parse("[00:20.00]Two\n[00:10.00]One\n[00:30.00]Three", SONG)
    assert [line.text for line in lyrics.lines] == ["One", "Two", "Three"]
    assert lyrics.warnings == ("'lyrics': line 2: an earlier time than the line above; put in the order of time",)


def test_times_before_and_after_the_song_are_named() -> None:
    lyrics = parse("[-00:05.00]Early\n[00:10.00]One\n[99:00.00]Late", SONG)
    assert shown(lyrics)[0] == (0, 10, "Early")
    assert [line.text for line in lyrics.lines] == ["Early", "One"]
    early, late = lyrics.warnings
    assert early.startswith("'lyrics': line 1: a time before the song's start")
    assert late.startswith("'lyrics': line 3: a time after the song's end")


def test_words_whose_times_go_backwards_never_unsing_what_was_sung() -> None:
    lyrics = parse("[00:10.00]<00:12.00>One <00:11.00>two <00:13.00>three", SONG)
    assert [word.start for word in lyrics.lines[0].words] == [12, 12, 13]
    assert "line 1: words whose times do not ascend" in lyrics.warnings[0]


def test_many_bad_lines_are_counted_not_listed() -> None:
    lyrics = parse("[00:01.00]One\n" + "[xx:yy]La\n" * 40, SONG)
    assert lyrics.warnings[0].startswith("'lyrics': lines 2, 3, 4, 5, 6 and 35 more: ")


def test_an_offset_that_is_no_number_is_named_and_ignored() -> None:
    lyrics = parse("[offset:soon]\n[00:10.00]One", SONG)
    assert lyrics.lines[0].start == 10
    assert "line 1: an offset that is no number of milliseconds" in lyrics.warnings[0]


PARTS = ["[00:10.00]", "[00:05.5]", "[-1:2]", "[xx:yy]", "[99:99.99]", "<00:11.00>", "<00:09>", "la ", "你", "\n", " "]
PARTS += ["[offset:+900]", "[ti:x]", "[Chorus]", "<3", "[]", "\t", "\r\n", "[00:00.00]", "[1:00:00.0]", "١"]


@settings(deadline=None)
@given(st.lists(st.sampled_from(PARTS), max_size=60).map("".join) | st.text(max_size=200), st.floats(0.2, 7200))
def test_whatever_comes_lines_ascend_within_the_song_and_words_within_their_line(text: str, duration: float) -> None:
    lines = parse(text, duration).lines
    assert all(0 <= line.start < line.end <= duration and line.text.strip() for line in lines)
    assert all(before.end <= after.start + 1e-9 for before, after in pairwise(lines))
    for line in lines:
        steps = [line.sung(line.start + part * (line.end - line.start) / 7) for part in range(8)]
        assert steps == sorted(steps) and steps[0] >= 0 and steps[-1] <= len(line.text) + 1e-9
