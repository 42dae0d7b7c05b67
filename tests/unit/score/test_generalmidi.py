"""General MIDI names."""

import pytest

from antiphon.score.generalmidi import FAMILIES, NAMES


def test_there_are_128_different_names_in_sixteen_families_of_eight() -> None:
    assert len(set(NAMES)) == 128
    assert [len(family) for family in FAMILIES.values()] == [8] * 16


@pytest.mark.parametrize(
    ("program", "name"),
    [
        (0, "Acoustic Grand Piano"),
        (24, "Acoustic Guitar (nylon)"),
        (33, "Electric Bass (finger)"),
        (53, "Voice Oohs"),
        (73, "Flute"),
        (85, "Lead 6 (voice)"),
        (127, "Gunshot"),
    ],
)
def test_programs_have_the_numbers_of_the_standard(program: int, name: str) -> None:
    assert NAMES[program] == name
