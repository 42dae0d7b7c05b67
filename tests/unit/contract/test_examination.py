"""The signature checker tells which part is right, which is not, and what to do about it."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.contract import signatures
from antiphon.contract.examination import Examination, examine, parse_headers

KEY = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
TASK = "5c79be8e5c7f4bb0a3f7a1a2b3c4d5e6"
NOW = 1_795_246_861
BODY = json.dumps({"code": 200, "data": {"task_id": TASK, "title": "Zoë"}}, ensure_ascii=False, separators=(",", ":"))


def signed(body: str = BODY, *, key: str = KEY, at: int = NOW) -> dict[str, str]:
    return signatures.headers([key], task_id=TASK, webhook_id="msg_1", body=body.encode(), timestamp=at)


def look(headers: dict[str, str] | str, body: str = BODY, key: str = KEY) -> tuple[Examination, Examination]:
    standard, documented = examine(parse_headers(headers), body, [key], now=NOW)
    return standard, documented


def faults(found: Examination) -> dict[str, str]:
    return {part.name: f"{part.state}: {part.message}" for part in found.parts if part.state != "right"}


def test_a_callback_as_it_was_sent_is_valid_by_both_schemes() -> None:
    for found in look(signed()):
        assert (found.verdict, faults(found)) == ("valid", {})


def test_a_scheme_that_is_not_there_is_absent() -> None:
    everything = signed()
    old = {name: value for name, value in everything.items() if name.startswith("X-")}
    standard, documented = look(old)
    assert (standard.verdict, standard.parts, documented.verdict) == ("absent", (), "valid")
    assert [found.verdict for found in look({"content-type": "application/json"})] == ["absent", "absent"]


@pytest.mark.parametrize("name", signatures.headers([KEY], task_id=TASK, webhook_id="i", body=b"", timestamp=1))
def test_a_missing_header_is_named(name: str) -> None:
    headers = {known: value for known, value in signed().items() if known != name}
    found = {part: words for one in look(headers) for part, words in faults(one).items()}
    assert found[name.lower()].startswith("missing: this header is missing")


@pytest.mark.parametrize(("off", "words"), [(-4000, "4000 s in the past"), (301, "301 s in the future")])
def test_an_old_or_early_timestamp_is_told_beside_a_right_signature(off: int, words: str) -> None:
    for found, name in zip(look(signed(at=NOW + off)), ("webhook-timestamp", "x-webhook-timestamp"), strict=True):
        assert found.verdict == "invalid"
        (fault,) = faults(found).items()
        assert fault[0] == name and words in fault[1] and "300 s" in fault[1]


def test_another_key_and_another_body_are_told_apart_from_a_damaged_signature() -> None:
    standard, documented = look(signed(), key=signatures.new_key())
    assert "another key, or for another body" in faults(standard)["webhook-signature"]
    assert "another key, or for another task" in faults(documented)["x-webhook-signature"]
    standard, documented = look(signed(), BODY.replace("200", "201"))
    assert list(faults(standard)) == ["webhook-signature"] and documented.verdict == "valid"
    cut = {name: value[:-3] if name.lower().endswith("signature") else value for name, value in signed().items()}
    for found in look(cut):
        assert "base64 of 32 bytes" in str(faults(found))


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (BODY + "\n", "without the white space around it"),
        (f"  {BODY}", "without the white space around it"),
        (json.dumps(json.loads(BODY), indent=2), "before it was parsed and printed anew"),
        (json.dumps(json.loads(BODY)), "before it was parsed and printed anew"),
    ],
)
def test_what_pasting_and_parsing_do_to_a_body_is_recognised(body: str, words: str) -> None:
    assert words in faults(look(signed(), body)[0])["webhook-signature"]


def test_a_lost_line_end_is_recognised() -> None:
    assert "with a line end behind it" in faults(look(signed(BODY + "\n"), BODY)[0])["webhook-signature"]


def test_a_key_without_its_beginning_is_recognised() -> None:
    standard, documented = look(signed(), key=KEY.removeprefix("whsec_"))
    for words in (faults(standard)["webhook-signature"], faults(documented)["x-webhook-signature"]):
        assert "with 'whsec_' before it" in words


@pytest.mark.parametrize(
    ("key", "words"), [("whsec_??", "not base64"), ("short", "bytes long"), ("a key it is", "white space")]
)
def test_what_cannot_be_a_key_is_told_and_the_signature_is_left_open(key: str, words: str) -> None:
    for found in look(signed(), key=key):
        assert words in faults(found)["key"]
        assert any(part.state == "unchecked" for part in found.parts)


def test_without_any_key_that_is_what_is_missing() -> None:
    standard, _ = examine(parse_headers(signed()), BODY, [], now=NOW)
    assert faults(standard)["key"].startswith("missing")


def test_a_body_without_a_task_id_cannot_be_checked_by_the_documented_scheme() -> None:
    _, documented = look(signed(), '{"code": 200}')
    assert "no task id" in faults(documented)["task id"]


@pytest.mark.parametrize(
    "line",
    [
        "{name}: {value}",
        "> {name}: {value}",
        "  {name}:{value}  ",
        "-H '{name}: {value}' \\",
        '--header "{name}: {value}"',
        "* {name}: {value}\r",
    ],
)
def test_headers_are_read_as_tools_show_them(line: str) -> None:
    text = "POST /hook HTTP/1.1\n" + "\n".join(line.format(name=name, value=value) for name, value in signed().items())
    assert [found.verdict for found in look(text)] == ["valid", "valid"]


def test_a_header_that_came_twice_is_told() -> None:
    text = "\n".join(f"{name}: {value}" for name, value in [*signed().items(), ("Webhook-Id", "msg_2")])
    assert "2 times" in faults(look(text)[0])["webhook-id"]


NESTED: Any = st.recursive(
    st.none() | st.text() | st.integers(), lambda each: st.dictionaries(st.text(), each), max_leaves=5
)


@given(
    st.dictionaries(st.sampled_from([*signed(), "X-Other"]), st.text()), st.text() | NESTED.map(json.dumps), st.text()
)
def test_nothing_that_is_pasted_breaks_it(headers: dict[str, str], body: str, key: str) -> None:
    for found in examine(parse_headers({**signed(), **headers}), body, [key], now=NOW):
        assert found.verdict in ("valid", "invalid")
    examine(parse_headers("\n".join(headers.values())), body + "\ud800", [key], now=NOW)
