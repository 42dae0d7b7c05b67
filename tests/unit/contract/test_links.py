"""A link that is signed anew leads to the same thing."""

import pytest

from antiphon import links
from antiphon.contract.links import target_of

SECRET = b"a secret of thirty-two bytes....."


def link(key: str = "5c79/1/vocal.flac", expires: int = 1_800_000_000, filename: str = "Söng - vocal.flac") -> str:
    return f"https://music.example.com/files/{links.sign(SECRET, key=key, expires=expires, filename=filename)}"


def test_a_link_that_lives_longer_leads_to_the_same_thing() -> None:
    assert link() != link(expires=1_800_000_999)
    assert target_of(link()) == target_of(link(expires=1_800_000_999)) == target_of(link() + "?download=1#now")
    assert target_of(link()) == target_of(f"{link()}/S%C3%B6ng%20-%20vocal.flac"), "the name at its end is for people"


def test_links_to_other_things_lead_elsewhere() -> None:
    other = {link(key="5c79/1/drums.flac"), link(key="5c79/2/vocal.flac"), link().replace("music", "other")}
    assert len({target_of(each) for each in {link(), *other}}) == 4


@pytest.mark.parametrize(
    "strange",
    [
        "https://cdn.example/a.mp4",
        "https://cdn.example/files/short",
        f"https://cdn.example/files/{'a' * 40}",
        f"https://cdn.example/files/{'a' * 41}",
        f"https://cdn.example/files/{'é' * 40}",
        "/files/",
        "",
    ],
)
def test_a_link_of_another_server_is_left_as_it_is(strange: str) -> None:
    assert target_of(f"{strange}?signature=1") == strange
