"""The bodies of callbacks, byte for byte as receivers know them."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from antiphon.contract.callbacks import (
    MidiCallback,
    SeparationCallback,
    VideoCallback,
    midi_callback,
    separation_callback,
    video_callback,
    wav_callback,
)
from antiphon.contract.kinds import SeparationType, callback_key, record_key

TASK = "5c79be8e5c7f4bb0a3f7a1a2b3c4d5e6"
NOTE = {"pitch": 44, "start": 7.6875, "end": 7.9115, "velocity": 0.8}
INSTRUMENTS = [{"name": "Electric Bass (finger)", "notes": [NOTE]}]
SPLIT_KEYS = [
    *("origin_url", "vocal_url", "backing_vocals_url", "drums_url", "bass_url", "guitar_url", "keyboard_url"),
    *("percussion_url", "strings_url", "synth_url", "fx_url", "brass_url", "woodwinds_url", "other_url", "piano_url"),
]


def ids(body: dict[str, Any]) -> list[object]:
    return [fields[name] for fields in (body, body["data"]) for name in ("taskId", "task_id")]


@pytest.mark.parametrize("error", [None, "no"])
def test_every_callback_says_its_task_in_four_places(error: str | None) -> None:
    assert ids(midi_callback(TASK, None, error)) == [TASK] * 4
    assert ids(video_callback(TASK, "https://x/v", error)) == [TASK] * 4
    assert ids(wav_callback(TASK, "https://x/w", error)) == [TASK] * 4
    assert ids(separation_callback(TASK, SeparationType.SPLIT_STEM, {"origin": "o"}, error)) == [TASK] * 4


def test_midi_is_as_receivers_know_it() -> None:
    assert json.dumps(midi_callback(TASK, INSTRUMENTS, None)) == (
        f'{{"code": 200, "msg": "success", "taskId": "{TASK}", "task_id": "{TASK}", "data": {{"state": "complete", '
        f'"taskId": "{TASK}", "task_id": "{TASK}", "instruments": [{{"name": "Electric Bass (finger)", '
        '"notes": [{"pitch": 44, '
        '"start": 7.6875, "end": 7.9115, "velocity": 0.8}]}]}}'
    )


def test_failed_midi_has_no_instruments_and_says_why() -> None:
    assert midi_callback(TASK, None, "too long; send less") == {
        "code": 500,
        "msg": "too long; send less",
        "taskId": TASK,
        "task_id": TASK,
        "data": {"state": "failed", "taskId": TASK, "task_id": TASK, "instruments": []},
    }


def test_a_video_has_its_link_or_null() -> None:
    made = video_callback(TASK, "https://x/v", None, thumbnail="https://x/t")
    links = {"video_url": "https://x/v", "thumbnail_url": "https://x/t"}
    assert made["data"] == {"task_id": TASK, "taskId": TASK, **links}
    failed = video_callback(TASK, "https://x/v", "no", thumbnail="https://x/t")
    assert (failed["code"], failed["msg"]) == (500, "no")
    assert failed["data"] == {"task_id": TASK, "taskId": TASK, "video_url": None}


def test_a_wav_has_its_link_in_the_spelling_of_either_edition() -> None:
    made = wav_callback(TASK, "https://x/w", None)["data"]
    assert made["audioWavUrl"] == made["audio_wav_url"] == "https://x/w"
    assert wav_callback(TASK, "https://x/w", "no")["data"]["audioWavUrl"] is None


def test_separated_vocals_have_three_links() -> None:
    urls = {"origin": "o", "vocal": "v", "instrumental": "i"}
    info = separation_callback(TASK, SeparationType.SEPARATE_VOCAL, urls, None)["data"]["vocal_removal_info"]
    assert info == {"origin_url": "o", "vocal_url": "v", "instrumental_url": "i"}


def test_split_stems_have_a_key_for_each_stem_there_could_be() -> None:
    urls = {"origin": "o", "vocal": "v", "drums": "d", "bass": "b", "other": "r"}
    info = separation_callback(TASK, SeparationType.SPLIT_STEM, urls, None)["data"]["vocal_removal_info"]
    assert list(info) == SPLIT_KEYS
    assert {name for name, url in info.items() if url} == {
        *("origin_url", "vocal_url", "drums_url", "bass_url", "other_url", "fx_url")
    }
    assert info["fx_url"] == info["other_url"]


def test_both_editions_find_the_stems_under_the_name_they_know() -> None:
    data = separation_callback(TASK, SeparationType.SEPARATE_VOCAL, {"origin": "o", "vocal": "v"}, None)["data"]
    assert data["vocal_separation_info"] == data["vocal_removal_info"]


@pytest.mark.parametrize(("stem", "rest"), [("drums", "other"), ("vocal", "instrumental")])
def test_one_stem_comes_with_the_rest(stem: str, rest: str) -> None:
    urls = {"origin": "o", stem: "s", rest: "r"}
    advanced = SeparationType.SPLIT_STEM_ADVANCED
    info = separation_callback(TASK, advanced, urls, None, stem=stem)["data"]["vocal_removal_info"]
    assert (info[f"{stem}_url"], info[f"{rest}_url"]) == ("s", "r")
    assert set(SPLIT_KEYS) <= set(info)


def test_a_failed_separation_has_no_links() -> None:
    body = separation_callback(TASK, SeparationType.SPLIT_STEM, {"origin": "o"}, "no")
    assert (body["code"], body["msg"]) == (500, "no")
    assert body["data"]["vocal_removal_info"] is None
    assert body["data"]["vocal_separation_info"] is None


@pytest.mark.parametrize(
    ("stem", "callback", "record"),
    [("vocal", "vocal_url", "vocalUrl"), ("backing_vocals", "backing_vocals_url", "backingVocalsUrl")],
)
def test_callbacks_and_records_spell_stems_differently(stem: str, callback: str, record: str) -> None:
    assert (callback_key(stem), record_key(stem)) == (callback, record)


def test_a_receiver_reads_what_we_send_and_numbers_as_texts() -> None:
    MidiCallback.model_validate(midi_callback(TASK, INSTRUMENTS, None))
    VideoCallback.model_validate(video_callback(TASK, None, "no"))
    SeparationCallback.model_validate(separation_callback(TASK, SeparationType.SPLIT_STEM, {"origin": "o"}, None))
    texts = [{"name": "Drums", "notes": [{**NOTE, "start": "7.6875", "end": "7.9115"}]}]
    read = MidiCallback.model_validate(midi_callback(TASK, texts, None))
    assert (read.data.instruments[0].notes[0].start, read.data.instruments[0].notes[0].end) == (7.6875, 7.9115)


@pytest.mark.parametrize("wrong", [{"pitch": 128}, {"pitch": -1}, {"velocity": 1.1}, {"start": -0.1}, {"end": "x"}])
def test_a_receiver_refuses_notes_that_are_none(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        MidiCallback.model_validate(midi_callback(TASK, [{"name": "Drums", "notes": [{**NOTE, **wrong}]}], None))


def test_a_piano_is_also_the_keyboard_and_what_is_not_there_is_null() -> None:
    urls = {"origin": "o", "vocal": "v", "guitar": "g", "piano": "p", "other": "r"}
    body = separation_callback("1" * 32, SeparationType.SPLIT_STEM, urls, None)
    info = body["data"]["vocal_removal_info"]
    assert (info["guitar_url"], info["piano_url"], info["keyboard_url"]) == ("g", "p", "p")
    assert (info["drums_url"], info["bass_url"], info["strings_url"]) == (None, None, None)
    assert (info["other_url"], info["fx_url"]) == ("r", "r")


def test_a_guitar_may_be_taken_out_by_itself() -> None:
    urls = {"origin": "o", "guitar": "g", "other": "r"}
    body = separation_callback("1" * 32, SeparationType.SPLIT_STEM_ADVANCED, urls, None, stem="guitar")
    info = body["data"]["vocal_removal_info"]
    assert (info["guitar_url"], info["other_url"], info["vocal_url"]) == ("g", "r", None)
