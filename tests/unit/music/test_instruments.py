"""Which instrument a stem is played on."""

from math import nan

import pytest

from antiphon.music import instruments
from antiphon.music.transcription.timbre import Timbre
from antiphon.score.generalmidi import NAMES


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


@pytest.mark.parametrize(
    ("stem", "sound", "name"),
    [
        ("bass", Timbre(decay=16, attack=9, brightness=0.3, roughness=0, fall=12), "Acoustic Bass"),
        ("bass", Timbre(decay=-2, attack=10, brightness=0.4, roughness=0, fall=11), "Synth Bass 1"),
        ("bass", Timbre(decay=11, attack=5, brightness=0.9, roughness=0, fall=12), "Electric Bass (finger)"),
        ("other", Timbre(decay=2, attack=0.4, brightness=2.3, roughness=0.17, fall=1.7), "Overdriven Guitar"),
        ("other", Timbre(decay=0.4, attack=4, brightness=0.6, roughness=0.07, fall=6.5), "Drawbar Organ"),
        ("other", Timbre(decay=3.4, attack=0.8, brightness=1.0, roughness=0.19, fall=5.4), "String Ensemble 1"),
        ("other", Timbre(decay=13, attack=4, brightness=1.8, roughness=0.04, fall=3.8), "Electric Guitar (clean)"),
        ("other", Timbre(decay=14, attack=19, brightness=1.1, roughness=0.4, fall=2.4), "Acoustic Guitar (steel)"),
        ("other", Timbre(decay=nan, attack=1.2, brightness=0.16, roughness=0.01, fall=5.3), "Electric Piano 1"),
        ("other", Timbre(decay=nan, attack=4.7, brightness=0.8, roughness=0.09, fall=2.6), "Acoustic Grand Piano"),
        ("vocal", Timbre(decay=2, attack=0.4, brightness=2.3, roughness=0.17, fall=1.7), "Voice Oohs"),
    ],
)
def test_a_stem_is_named_after_its_sound(stem: str, sound: Timbre, name: str) -> None:
    assert instruments.of_stem(stem, sound).name == name
    assert NAMES[instruments.of_stem(stem, sound).program] == name
