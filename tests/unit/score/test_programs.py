"""General MIDI programs by whatever name a sender gives."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.score.generalmidi import NAMES
from antiphon.score.programs import Program, program_of


@pytest.mark.parametrize("number", range(128))
def test_the_names_of_the_standard_are_their_programs_in_any_case_and_punctuation(number: int) -> None:
    name = NAMES[number]
    spellings = [name, name.upper(), name.lower(), name.replace(" ", "_"), f"  {name} ", name.replace("(", "- ")]
    assert {program_of(spelling) for spelling in spellings} == {Program(number, False, True)}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("electric bass finger", "Electric Bass (finger)"),
        ("Bass", "Electric Bass (finger)"),
        ("Electric Piano", "Electric Piano 1"),
        ("Grand piano", "Acoustic Grand Piano"),
        ("Clavinet", "Clavi"),
        ("Synth Strings 2", "SynthStrings 2"),
        ("Synth Brass 1", "SynthBrass 1"),
        ("Guitar Harmonics", "Guitar harmonics"),
        ("Bagpipe", "Bag pipe"),
        ("Vocals", "Voice Oohs"),
        ("Strings", "String Ensemble 1"),
        ("Guitar 2", "Acoustic Guitar (nylon)"),
        ("Tenor Saxophone", "Tenor Sax"),
        ("Violins", "Violin"),
        ("Lead 3", "Lead 3 (calliope)"),
        ("Flute (solo)", "Flute"),
    ],
)
def test_other_names_are_understood(name: str, expected: str) -> None:
    assert program_of(name) == Program(NAMES.index(expected), False, True)


@pytest.mark.parametrize("name", ["Drums", "drums", "DRUM KIT", "Drum", "Drum Set", "Percussion", "drum_kit"])
def test_drums_are_drums(name: str) -> None:
    assert program_of(name) == Program(0, True, True)


@pytest.mark.parametrize("name", ["Steel Drums", "Synth Drum", "Taiko Drum"])
def test_drums_with_a_pitch_are_instruments(name: str) -> None:
    assert program_of(name) == Program(NAMES.index(name), False, True)


@pytest.mark.parametrize("name", ["", "Theremin", "音", "()", "1", "\ud800"])
def test_a_name_that_says_nothing_is_the_piano_and_said_to_be_unknown(name: str) -> None:
    assert program_of(name) == Program(0, False, False)


@given(name=st.text())
def test_every_name_has_a_program(name: str) -> None:
    assert 0 <= program_of(name).number <= 127
