"""Which instrument a stem is played on."""

import pytest

from antiphon.music import instruments


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
