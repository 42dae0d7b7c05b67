"""What clients may send, and what each mistake is told."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from antiphon.contract.requests import CONTROL, Midi, NewKey, Separation, SignIn, UploadFields, UploadUrl, Video

TASK, AUDIO = "5c79be8e5c7f4bb0a3f7a1a2b3c4d5e6", "e231f5a0-9f2d-4c11-8e6d-2b8cadc7dc01"
SOURCE = {"taskId": TASK, "audioId": AUDIO}


def test_the_documented_requests_are_read() -> None:
    url = "https://example.com/callback"
    assert Separation.model_validate({**SOURCE, "type": "split_stem", "callBackUrl": url}).type == "split_stem"
    assert Separation.model_validate(SOURCE).type == "separate_vocal"
    assert Midi.model_validate({"taskId": TASK, "callBackUrl": url}).callBackUrl == url
    video = Video.model_validate({**SOURCE, "author": "Zoë 🎵", "domainName": "music.example.com"})
    assert (video.author, video.domainName) == ("Zoë 🎵", "music.example.com")
    assert UploadUrl.model_validate({"url": url}).title is None


@pytest.mark.parametrize("blank", ["", "   ", None])
def test_blank_optional_texts_are_as_if_not_given(blank: str | None) -> None:
    video = Video.model_validate({**SOURCE, "author": blank, "domainName": blank})
    assert (video.author, video.domainName) == (None, None)


def test_the_documented_fields_alone_give_the_default_video() -> None:
    video = Video.model_validate(SOURCE)
    assert (video.theme, video.aspect, video.resolution, video.fps) == ("bars", "16:9", "720p", 30)
    assert (video.audio, video.lyrics) == ("auto", None)


def test_every_choice_of_a_video_can_be_made() -> None:
    default = Video.model_validate(SOURCE).model_dump()
    given = {"theme": "circle", "aspect": "9:16", "resolution": "1080p", "fps": 60, "audio": "copy", "lyrics": "La\nla"}
    assert Video.model_validate({**SOURCE, **given}).model_dump() == {**default, **given}


def test_no_lyrics_at_all_are_something_else_than_the_uploads() -> None:
    assert Video.model_validate({**SOURCE, "lyrics": ""}).lyrics == ""


def test_texts_are_trimmed_and_ids_of_tracks_may_be_in_upper_case() -> None:
    video = Video.model_validate({**SOURCE, "audioId": AUDIO.upper(), "author": " Zoë "})
    assert (video.author, video.audioId) == ("Zoë", AUDIO)


def test_lengths_count_characters_and_not_bytes() -> None:
    assert Video.model_validate({**SOURCE, "author": "音" * 50}).author == "音" * 50
    with pytest.raises(ValidationError, match="at most 50 characters"):
        Video.model_validate({**SOURCE, "author": "a" * 51})


@pytest.mark.parametrize("name", ["callbackUrl", "callback_url", "callBackURL", "tittle"])
def test_an_unknown_field_is_named_and_does_no_harm(name: str) -> None:
    video = Video.model_validate({**SOURCE, name: "x"})
    assert (video.unknown_fields, video.callBackUrl) == ([name], None)


@pytest.mark.parametrize(("model", "body"), [(SignIn, {"key": "ak_x"}), (NewKey, {"name": "website"})])
def test_a_misspelt_field_of_our_own_calls_is_refused(model: type[BaseModel], body: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="Extra inputs"):
        model.model_validate({**body, "tittle": 1})


def test_a_song_is_named_by_its_task_and_track_or_by_its_address() -> None:
    assert Separation.model_validate({"audioUrl": "https://example.com/a.mp3"}).taskId is None
    with pytest.raises(ValidationError, match="came together with audioUrl"):
        Separation.model_validate({**SOURCE, "audioUrl": "https://example.com/a.mp3"})
    with pytest.raises(ValidationError) as refused:
        Separation.model_validate({"taskId": SOURCE["taskId"]})
    assert [(error["loc"], error["type"]) for error in refused.value.errors()] == [(("audioId",), "missing")]


@pytest.mark.parametrize("name", ["stemName", "stem_name"])
@pytest.mark.parametrize("stem", ["Drums", "drums", " DRUMS "])
def test_one_stem_is_asked_for_by_its_name(name: str, stem: str) -> None:
    assert Separation.model_validate({**SOURCE, "type": "split_stem_advanced", name: stem}).stemName == "drums"


def test_a_stem_that_is_not_made_is_refused_with_those_that_are() -> None:
    with pytest.raises(ValidationError, match="Vocals, Drums, Bass, Other"):
        Separation.model_validate({**SOURCE, "type": "split_stem_advanced", "stemName": "Theremin"})
    with pytest.raises(ValidationError, match="required"):
        Separation.model_validate({**SOURCE, "type": "split_stem_advanced"})


def test_a_domain_may_be_a_brand() -> None:
    assert Video.model_validate({**SOURCE, "domainName": "Harbour Records"}).domainName == "Harbour Records"


@pytest.mark.parametrize(
    "wrong",
    [
        {"taskId": 5},
        {"taskId": TASK.upper()},
        {"taskId": TASK + "\n"},
        {"taskId": f" {TASK}"},
        {"audioId": "1"},
        {"audioId": AUDIO.replace("-", "")},
        {"author": 1},
        {"author": "a\0b"},
        {"author": "a\u2028b"},
        {"author": "\ud800"},
        {"callBackUrl": 1},
        {"theme": "stars"},
        {"theme": None},
        {"aspect": "4:3"},
        {"resolution": 720},
        {"fps": 25},
        {"fps": "30"},
        {"audio": "mp3"},
        {"lyrics": "la\0la"},
        {"lyrics": "x" * 100_001},
        {"lyrics": "[00:01.00]" * 5000 + "la " * 10_000},
        {"lyrics": "[00:01.00][00:02.00][00:03.00][00:04.00]" + "la " * 33_000},
        {"callBackUrl": "https://example.com/" + "x" * 2048},
    ],
)
def test_a_wrong_value_is_refused_by_the_name_of_its_field(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as refused:
        Video.model_validate({**SOURCE, **wrong})
    assert {error["loc"][0] for error in refused.value.errors()} == set(wrong)


def test_lyrics_keep_their_lines_and_nothing_else_that_controls() -> None:
    lyrics = "[00:01.00]La\r\n[00:02.00]\tla\n"
    assert UploadFields(lyrics="\ufeff" + lyrics).lyrics == lyrics
    with pytest.raises(ValidationError, match="without control characters"):
        UploadFields(lyrics="la\x1b[2Jla")


@given(st.text(max_size=60))
def test_what_is_taken_as_a_line_is_short_and_controls_nothing(text: str) -> None:
    try:
        author = Video.model_validate({**SOURCE, "author": text}).author
    except ValidationError:
        assert len(text) > 50 or CONTROL.search(text)
    else:
        assert author is None or (author == text.strip() and 0 < len(author) <= 50 and not CONTROL.search(author))
