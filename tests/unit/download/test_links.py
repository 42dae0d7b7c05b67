"""A link goes on the wire as it was written, or not at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.download import DownloadRefused, links


@pytest.mark.parametrize(
    ("url", "wire"),
    [
        ("https://example.com/a.mp4?x=1&y=%20", "https://example.com/a.mp4?x=1&y=%20"),
        ("HTTP://EXAMPLE.com:8080/a#part", "http://example.com:8080/a"),
        ("https://example.com", "https://example.com"),
        ("https://example.com/歌.mp4?t=é", "https://example.com/%E6%AD%8C.mp4?t=%C3%A9"),
        ("https://bücher.example/a", "https://xn--bcher-kva.example/a"),
        ("http://[2606:4700::1111]:81/a", "http://[2606:4700::1111]:81/a"),
        ("https://s3.example.com/k?X-Amz-Signature=ab%2Bc%3D&d=a+b", "https://s3.example.com/k?X-Amz-Signature=ab%2Bc%3D&d=a+b"),
    ],
)  # fmt: skip
def test_a_link_is_asked_for_as_it_was_signed(url: str, wire: str) -> None:
    assert links.read(url).geturl() == wire


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("", "http://"),
        ("example.com/a", "http://"),
        ("ftp://example.com/a", "http://"),
        ("file:///etc/passwd", "http://"),
        ("http:///a", "no host"),
        ("https://user:secret@example.com/", "user name"),
        ("https://example.com@10.0.0.1/", "user name"),
        ("https://example.com/a b", "percent-encoded"),
        ("https://example.com\\@10.0.0.1/", "percent-encoded"),
        ("https://example.com/\r\nX-Injected: 1", "percent-encoded"),
        ("https://example.com:0/", "no host"),
        ("https://example.com:99999/", "not a URL"),
        ("https://example.com:8a/", "not a URL"),
        ("https://[::1/", "not a URL"),
        ("https://exa%6dple.com/", "no host"),
        ("https://" + "a" * 70 + ".com/", "not a URL"),
        ("https://example.com/" + "a" * 8000, "8020 characters"),
        ("https://\ud800.example/", "percent-encoded"),
    ],
)
def test_what_is_no_link_is_refused_with_the_reason(url: str, word: str) -> None:
    with pytest.raises(DownloadRefused, match=word):
        links.read(url)


@given(st.text(max_size=40), st.sampled_from(["", "http://", "https://", "http://[", "http://example.com/"]))
def test_nothing_but_ascii_without_line_breaks_gets_through(text: str, start: str) -> None:
    try:
        link = links.read(start + text)
    except DownloadRefused:
        return
    assert link.geturl().isascii() and not set(link.geturl()) & set(" \r\n\t\x00\\")
    assert link.hostname and "@" not in link.netloc


@pytest.mark.parametrize(
    ("location", "target"),
    [
        ("/b?c=1", "https://example.com/b?c=1"),
        ("c.mp4", "https://example.com/a/c.mp4"),
        ("//cdn.example/x", "https://cdn.example/x"),
        ("https://cdn.example/x", "https://cdn.example/x"),
        ("?d", "https://example.com/a/b?d"),
    ],
)
def test_a_redirect_is_read_from_where_it_stands(location: str, target: str) -> None:
    assert links.follow(links.read("https://example.com/a/b"), location) == target


def test_a_redirect_does_not_leave_encryption() -> None:
    with pytest.raises(DownloadRefused, match="not encrypted"):
        links.follow(links.read("https://example.com/"), "http://example.com/")


def test_what_signs_a_link_does_not_name_the_file() -> None:
    assert links.without_query("https://a/b?c#d") == links.without_query("https://a/b#e") == "https://a/b"
