"""What the live table of 'antiphon receive' shows."""

import io
import re
import threading
import time
import unicodedata
from dataclasses import replace

import pytest
from tests.waiting import wait_for

from antiphon.commands.board import MAX_ROWS, Board, fit, outcome_of, span
from antiphon.commands.lines import MAX_WAITING, Lines
from antiphon.commands.screen import Screen
from antiphon.receiver.follow_up.notices import Notice
from antiphon.receiver.inbox.inbox import Event

NOW = 1_800_000_000.0
EVENT = Event(1, "midi", "0123456789abcdef0123456789abcdef", 1, 200, b"{}", NOW, 0, None, "standard")


def board(*notices: Notice) -> Board:
    made = Board(colours=False)
    made.entitle("receiving on http://127.0.0.1:3000/")
    for notice in notices:
        made.notice(notice)
    return made


def cells(text: str) -> int:
    wide = {character for character in text if unicodedata.east_asian_width(character) in "WF"}
    return sum(2 if character in wide else not unicodedata.combining(character) for character in text)


def test_an_event_has_a_row_that_says_how_far_it_is() -> None:
    shown = board(
        Notice(EVENT, "new"),
        Notice(replace(EVENT, repeats=2), "repeat"),
        Notice(EVENT, "progress", step="files", text="video.mp4, 12 MB", fraction=0.43, attempt=1),
    ).lines(120, 24, NOW)
    assert shown[:3] == ["receiving on http://127.0.0.1:3000/", "2 received · 1 repeated", ""]
    clock = time.strftime("%H:%M:%S", time.localtime(NOW))
    assert shown[3].split() == ["TIME", "KIND", "TASK", "OUTCOME", "AGAIN", "STATE"]
    assert re.split(" {2,}", shown[4]) == [clock, "midi", EVENT.task_id, "success", "2", "43% video.mp4, 12 MB"]


@pytest.mark.parametrize(
    ("code", "failed", "outcome"),
    [
        (200, False, "success"),
        (200, True, "failed"),  # a success without its link, or with a state that says so
        (500, True, "failed"),
        (430, True, "code 430"),
        (None, True, "failed"),
        (None, False, "no code"),
    ],
)
def test_a_failure_is_shown_as_one_whatever_its_code(code: int | None, failed: bool, outcome: str) -> None:
    assert outcome_of(replace(EVENT, code=code, failed=failed)) == outcome


@pytest.mark.parametrize(
    ("notice", "state"),
    [
        (Notice(EVENT, "new"), "waits"),
        (Notice(EVENT, "repeat"), ""),
        (Notice(EVENT, "started", attempt=1), "works"),
        (Notice(EVENT, "progress", text="converting"), "converting"),
        (Notice(EVENT, "retry", text="no answer", until=NOW + 14), "again in 14 s: no answer"),
        (Notice(EVENT, "done"), "done"),
        (Notice(EVENT, "failed", text="status 3"), "failed: status 3"),
        (Notice(EVENT, "expired", text="too late"), "expired: too late"),
    ],
)
def test_every_state_reads_plainly(notice: Notice, state: str) -> None:
    assert board(notice).lines(120, 24, NOW)[4].partition("success")[2].strip() == state


def test_the_wait_for_the_next_try_counts_down() -> None:
    shown = board(Notice(EVENT, "retry", text="no", until=NOW + 100))
    assert "again in 60 s" in shown.lines(120, 24, NOW + 40)[4]
    assert "again in 0 s" in shown.lines(120, 24, NOW + 200)[4]


def test_the_newest_stand_first_and_old_ones_make_room() -> None:
    events = [replace(EVENT, id=number, task_id=f"task-{number}") for number in range(MAX_ROWS + 50)]
    shown = board(*(Notice(event, "new") for event in events))
    lines = shown.lines(100, 12, NOW)
    assert len(lines) == 12 - 1  # no message, so no empty line before them
    assert [line.split()[2] for line in lines[4:]] == [f"task-{MAX_ROWS + 49 - number}" for number in range(7)]
    assert lines[1] == f"{MAX_ROWS + 50} received"
    assert len(shown.lines(100, 10_000, NOW)) == 4 + MAX_ROWS


@pytest.mark.parametrize("columns", [1, 8, 20, 40, 64, 80, 200])
@pytest.mark.parametrize("rows", [1, 2, 5, 24])
def test_no_line_is_wider_and_the_board_not_higher_than_the_terminal(columns: int, rows: int) -> None:
    shown = board(
        Notice(EVENT, "progress", text="a very long text " * 20),
        Notice(replace(EVENT, id=2, task_id="日本語の識別子" * 20), "failed", text="é́́ 文字 " * 50),
    )
    shown.say("a message that is long " * 20)
    lines = shown.lines(columns, rows, NOW)
    assert len(lines) <= rows
    assert all(cells(line) <= columns for line in lines)


def test_nothing_that_came_reaches_the_terminal_as_a_command() -> None:
    hostile = "\x1b]0;owned\x07\x1b[2J\r\n\u202eabc"
    shown = board(Notice(EVENT, "failed", text=hostile))
    shown.say(hostile)
    assert all(line.isprintable() for line in shown.lines(200, 24, NOW))


@pytest.mark.parametrize(
    ("text", "width", "cut"),
    [
        ("task", 4, "task"),
        ("tasks", 4, "tas…"),
        ("文字化け", 5, "文字…"),
        ("文字", 3, "文…"),
        ("文", 1, "…"),
        ("a", 0, ""),
    ],
)
def test_text_is_cut_to_cells_not_characters(text: str, width: int, cut: str) -> None:
    assert fit(text, width) == cut
    assert cells(fit(text, width, pad=True)) == max(width, cells(cut))


def test_durations_are_in_words() -> None:
    assert [span(seconds) for seconds in (-5, 99, 150, 7200, 86400 * 14)] == ["0 s", "99 s", "2 min", "2 h", "14 d"]


def test_the_last_messages_stand_below_the_table() -> None:
    shown = board(*(Notice(replace(EVENT, id=number), "new") for number in range(30)))
    for number in range(10):
        shown.say(f"message {number}")
    lines = shown.lines(100, 16, NOW)
    assert [line[10:] for line in lines[-3:]] == ["message 7", "message 8", "message 9"]
    assert len(lines) == 16
    assert board().lines(80, 24, NOW)[1:] == ["0 received", "", "nothing has come yet"]


class _Terminal(io.StringIO):
    """Keeps what was drawn; may be closed by its user."""

    encoding = "utf-8"

    def __init__(self) -> None:
        super().__init__()
        self.gone = False

    def write(self, text: str) -> int:
        if self.gone:
            raise OSError(5, "Input/output error")
        return super().write(text)


def await_text(terminal: _Terminal, text: str) -> None:
    wait_for(lambda: text in terminal.getvalue(), lambda: f"{text!r}; drawn was {terminal.getvalue()!r}")


def test_the_screen_follows_the_board_and_leaves_the_terminal_as_it_was() -> None:
    terminal, shown = _Terminal(), board()
    size = [80, 24]
    with Screen(shown, terminal, size=lambda: (size[0], size[1])):
        await_text(terminal, "nothing has come yet")
        shown.notice(Notice(EVENT, "new"))
        await_text(terminal, EVENT.task_id)
        size[0] = 40
        await_text(terminal, EVENT.task_id[:7] + "…")
    drawn = terminal.getvalue()
    assert drawn.startswith("\x1b[?1049h")
    restored = drawn.rpartition("\x1b[?1049l")
    assert "\x1b[?25h" in restored[0][-20:]
    assert "1 received" in restored[2], "the last state stays to be read"


def test_a_terminal_that_is_closed_does_not_stop_the_receiver() -> None:
    terminal, shown = _Terminal(), board()
    with Screen(shown, terminal, size=lambda: (80, 24)):
        terminal.gone = True
        shown.notice(Notice(EVENT, "new"))


class _SlowReader(_Terminal):
    """Takes nothing before it is asked to."""

    def __init__(self) -> None:
        super().__init__()
        self.reading = threading.Event()

    def write(self, text: str) -> int:
        self.reading.wait(10)
        return super().write(text)


def test_whoever_reads_the_lines_slowly_holds_nothing_up() -> None:
    reader = _SlowReader()
    with Lines(reader) as lines:
        began = time.monotonic()
        for _ in range(MAX_WAITING + 5000):
            lines.notice(Notice(EVENT, "new"))
        assert time.monotonic() - began < 2
        reader.reading.set()
        await_text(reader, "lines were left out")
    printed = reader.getvalue().splitlines()
    assert MAX_WAITING <= len(printed) <= MAX_WAITING + 600
    assert printed[0].endswith(f"midi        {EVENT.task_id}  success  new")


def test_the_last_lines_are_printed_at_the_end() -> None:
    reader = _Terminal()
    with Lines(reader, colours=True) as lines:
        lines.say("one\x1b[2J\ntwo", "green")
    assert [re.sub(r"\d\d:\d\d:\d\d", "", line) for line in reader.getvalue().splitlines()] == [
        "\x1b[32m  one [2J\x1b[0m",
        "\x1b[32m  two\x1b[0m",
    ]
