import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.errors import Expired, NotFound
from antiphon.links import Link, read, sign

SECRET = b"s" * 32
LATER = 1_800_000_000
TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=60)


@given(TEXT, TEXT, st.integers(1, 2**40 - 1))
def test_a_link_reads_as_it_was_signed(key: str, filename: str, expires: int) -> None:
    token = sign(SECRET, key=key, expires=expires, filename=filename)
    assert read(SECRET, token, expires - 1) == Link(key, filename, expires)


def test_a_link_to_a_stem_is_short_and_needs_no_escaping() -> None:
    token = sign(SECRET, key="a" * 32 + "/vocal.flac", expires=LATER, filename="Song - vocal.flac")
    assert len(token) < 120
    assert token.replace("-", "").replace("_", "").isalnum()


def test_a_link_that_has_expired_says_when() -> None:
    token = sign(SECRET, key="k", expires=LATER, filename="f")
    with pytest.raises(Expired, match="2027-01-15 at 08:00 UTC") as caught:
        read(SECRET, token, LATER)
    assert caught.value.code == 410


def test_no_character_can_be_changed_added_or_left_out() -> None:
    token = sign(SECRET, key="task/vocal.flac", expires=LATER, filename="Ævintýri.flac")
    other = {character: "B" if character == "A" else "A" for character in token}
    forged = [token[:i] + other[token[i]] + token[i + 1 :] for i in range(len(token))]
    forged += [token[:i] + token[i + 1 :] for i in range(len(token))]
    forged += [token + extra for extra in ("A", "=", "==", "\n", " ", "!", "%", "é", "\0", "AAAA")]
    # the last character has spare bits, which a lenient decoder ignores
    forged += [
        token[:-1] + last for last in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz" if last != token[-1]
    ]
    for wrong in forged:
        with pytest.raises(NotFound, match="link is not valid"):
            read(SECRET, wrong, 0)


@given(st.text(max_size=100))
def test_any_other_text_is_no_link(token: str) -> None:
    with pytest.raises(NotFound):
        read(SECRET, token, 0)


def test_another_secret_makes_other_links() -> None:
    token = sign(b"t" * 32, key="k", expires=LATER, filename="f")
    with pytest.raises(NotFound):
        read(SECRET, token, 0)


def test_a_forged_link_is_not_told_that_it_expired() -> None:
    payload = bytes(16) + b"\1" + (1).to_bytes(5, "big") + b"k\0f"
    with pytest.raises(NotFound):
        read(SECRET, base64.urlsafe_b64encode(payload).rstrip(b"=").decode(), LATER)


def test_nul_cannot_move_the_border_between_key_and_name() -> None:
    with pytest.raises(ValueError, match="NUL"):
        sign(SECRET, key="a\0b", expires=LATER, filename="c")
