"""A matcher of regular expressions that counts its steps: it tries what the engine of ``re`` tries, in the same order,
without that engine's short cuts. What grows faster than its input here does so there."""

import importlib
import re
import sys
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

ops: Any = importlib.import_module("re._constants")
parser: Any = importlib.import_module("re._parser")
Then = Callable[[int], bool]
MAX_STEPS = 2_000_000
MAX_DEPTH = 100_000


class TooManySteps(Exception):
    """It goes on and on."""


class Matcher:
    """Counts in ``steps`` the places at which something was tried."""

    def __init__(self, pattern: "re.Pattern[Any]") -> None:
        written = pattern.pattern.decode("latin-1") if isinstance(pattern.pattern, bytes) else pattern.pattern
        self._items = list(
            parser.parse(written, pattern.flags & ~re.UNICODE if isinstance(pattern.pattern, bytes) else pattern.flags)
        )
        self._ignore_case = bool(pattern.flags & re.IGNORECASE)
        self.steps = 0

    def run(self, text: str, *, search: bool) -> int:
        """The steps of a match at the start of ``text``, of all matches in it with ``search``."""
        self.steps = 0
        self._text = text
        before = sys.getrecursionlimit()
        sys.setrecursionlimit(MAX_DEPTH)
        try:
            return self._all(text, search=search)
        finally:
            sys.setrecursionlimit(before)

    def _all(self, text: str, *, search: bool) -> int:
        start = 0
        while start <= len(text):
            found = self._sequence(self._items, 0, start, self._ended)
            if not search:
                break
            start = max(self._end if found else 0, start + 1)
        return self.steps

    def _ended(self, at: int) -> bool:
        self._end = at
        return True

    def _sequence(self, items: list[Any], index: int, at: int, then: Then) -> bool:
        self.steps += 1
        if self.steps > MAX_STEPS:
            raise TooManySteps
        if index == len(items):
            return then(at)
        op, argument = items[index]

        def after(end: int) -> bool:
            return self._sequence(items, index + 1, end, then)

        if op in (ops.MAX_REPEAT, ops.MIN_REPEAT, ops.POSSESSIVE_REPEAT):
            return self._repeat(op is ops.MIN_REPEAT, argument, at, after)
        if op is ops.SUBPATTERN:
            return self._sequence(list(argument[3]), 0, at, after)
        if op is ops.BRANCH:
            return any(self._sequence(list(branch), 0, at, after) for branch in argument[1])
        if op in (ops.ASSERT, ops.ASSERT_NOT):
            ahead = argument[0] > 0 and self._sequence(list(argument[1]), 0, at, lambda _: True)
            behind = argument[0] < 0 and at > 0 and self._sequence(list(argument[1]), 0, at - 1, lambda _: True)
            return (ahead or behind) is (op is ops.ASSERT) and after(at)
        if op is ops.AT:
            return (at == 0 if argument is ops.AT_BEGINNING else at == len(self._text)) and after(at)
        return at < len(self._text) and self._fits(op, argument, self._text[at]) and after(at + 1)

    def _repeat(self, lazy: bool, argument: Any, at: int, after: Then) -> bool:
        least, most, items = argument[0], argument[1], list(argument[2])
        if len(items) == 1 and items[0][0] in (ops.LITERAL, ops.NOT_LITERAL, ops.IN, ops.ANY):
            ends = self._run(least, most, items[0], at)
            return any(after(end) for end in (ends if lazy else reversed(list(ends))))

        def again(count: int, here: int) -> bool:
            def more() -> bool:
                def next_one(end: int) -> bool:
                    return (end > here or count < least) and again(count + 1, end)

                return count < most and self._sequence(items, 0, here, next_one)

            if count < least:
                return more()
            return after(here) or more() if lazy else more() or after(here)

        return again(0, at)

    def _run(self, least: int, most: int, item: Any, at: int) -> Iterator[int]:
        """Ends of a run of single characters, the shortest first."""
        for count in range(min(int(most), len(self._text) - at) + 1):
            if count >= least:
                yield at + count
            self.steps += 1
            if at + count == len(self._text) or not self._fits(item[0], item[1], self._text[at + count]):
                return

    def _fits(self, op: Any, argument: Any, character: str) -> bool:
        return character in Members(op, argument) or (
            self._ignore_case and character.swapcase() in Members(op, argument)
        )


class Members:
    """The characters that one item takes: ``"a" in Members(op, argument)``."""

    CATEGORIES: ClassVar[dict[Any, Callable[[str], bool]]] = {
        ops.CATEGORY_DIGIT: str.isdigit,
        ops.CATEGORY_SPACE: str.isspace,
        ops.CATEGORY_WORD: lambda letter: letter.isalnum() or letter == "_",
    }
    NEGATED: ClassVar[dict[Any, Any]] = {
        ops.CATEGORY_NOT_DIGIT: ops.CATEGORY_DIGIT,
        ops.CATEGORY_NOT_SPACE: ops.CATEGORY_SPACE,
        ops.CATEGORY_NOT_WORD: ops.CATEGORY_WORD,
    }

    def __init__(self, op: Any, argument: Any) -> None:
        self._op, self._argument = op, argument

    def __contains__(self, character: str) -> bool:
        op, argument, code = self._op, self._argument, ord(character)
        if op is ops.ANY:
            return character != "\n"
        if op is ops.LITERAL:
            return bool(code == argument)
        if op is ops.NOT_LITERAL:
            return bool(code != argument)
        if op is ops.RANGE:
            return bool(argument[0] <= code <= argument[1])
        if op is ops.CATEGORY:
            negated = self.NEGATED.get(argument)
            fits = self.CATEGORIES[negated or argument](character)
            return fits is not bool(negated)
        assert op is ops.IN, op
        negate = argument[0][0] is ops.NEGATE
        return any(character in Members(*one) for one in argument[negate:]) is not negate


PROBES = [chr(code) for code in range(0x20, 0x7F)] + ["\t", "\n", "\\", "é", "\x00"]


def alphabet(pattern: "re.Pattern[Any]") -> list[str]:
    """A character for each way in which the items of a pattern tell characters apart."""
    items = list(_single(Matcher(pattern)._items))
    kinds = {tuple(probe in Members(*item) for item in items): probe for probe in reversed(PROBES)}
    return list(kinds.values())


def beginnings(pattern: "re.Pattern[Any]") -> list[str]:
    """The shortest texts that lead to each item of a pattern."""
    found, text = [""], ""
    for item in Matcher(pattern)._items:
        text += _shortest([item])
        found.append(text)
    return list(dict.fromkeys(found))


def _single(items: Any) -> Iterator[Any]:
    for op, argument in items:
        if op in (ops.MAX_REPEAT, ops.MIN_REPEAT, ops.POSSESSIVE_REPEAT):
            yield from _single(argument[2])
        elif op is ops.SUBPATTERN:
            yield from _single(argument[3])
        elif op is ops.BRANCH:
            for branch in argument[1]:
                yield from _single(branch)
        elif op in (ops.ASSERT, ops.ASSERT_NOT):
            yield from _single(argument[1])
        elif op is not ops.AT:
            yield op, argument


def _shortest(items: Any) -> str:
    text = ""
    for op, argument in items:
        if op in (ops.MAX_REPEAT, ops.MIN_REPEAT, ops.POSSESSIVE_REPEAT):
            text += _shortest(argument[2]) * argument[0]
        elif op is ops.SUBPATTERN:
            text += _shortest(argument[3])
        elif op is ops.BRANCH:
            text += _shortest(argument[1][0])
        elif op not in (ops.ASSERT, ops.ASSERT_NOT, ops.AT):
            text += next((probe for probe in PROBES if probe in Members(op, argument)), "")
    return text
