"""General MIDI names."""

import pytest

from antiphon.music import instruments


def test_there_are_128_different_names_in_sixteen_families_of_eight() -> None:
    assert len(set(instruments.NAMES)) == 128
    assert [len(family) for family in instruments.FAMILIES.values()] == [8] * 16


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
    assert instruments.NAMES[program] == name


@pytest.mark.parametrize(
    ("stem", "voice"),
    [
        ("vocal", ("Voice Oohs", 53, False)),
        ("bass", ("Electric Bass (finger)", 33, False)),
        ("drums", ("Drums", 0, True)),
        ("other", ("Acoustic Grand Piano", 0, False)),
        ("instrumental", ("Acoustic Grand Piano", 0, False)),
        ("a stem of tomorrow", ("Acoustic Grand Piano", 0, False)),
    ],
)
def test_each_stem_has_its_instrument(stem: str, voice: tuple[str, int, bool]) -> None:
    assert instruments.of_stem(stem) == voice
