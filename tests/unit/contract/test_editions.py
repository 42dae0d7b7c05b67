"""Callbacks of all editions of the documented API, read by one reader."""

import json
from typing import Any

import pytest

from antiphon.contract.results import (
    FailedResult,
    MidiResult,
    SeparationResult,
    UnknownResult,
    VideoResult,
    WavResult,
    kind_of,
    read_result,
)

TASK = "5c79be8e5c7f4bb0a3f7a1a2b3c4d5e6"
NOTE = {"pitch": 44, "start": 1.0, "end": 2.0, "velocity": 0.5}


def job(model: str, result: Any = None, **more: Any) -> dict[str, Any]:
    data = {
        "taskId": TASK,
        "model": f"ai-music-api/{model}",
        "state": "success",
        "resultJson": json.dumps(result),
        **more,
    }
    return {"code": 200, "msg": "success", "taskId": TASK, "data": data}


@pytest.mark.parametrize(
    "name", ["vocal_removal_info", "vocal_separation_info", "vocalRemovalInfo", "vocalSeparationInfo"]
)
@pytest.mark.parametrize(
    "info",
    [
        {"origin_url": "", "vocal_url": "https://x/v", "backing_vocals_url": "https://x/b"},
        {"originUrl": "", "vocalUrl": "https://x/v", "backingVocalsUrl": "https://x/b"},
    ],
)
def test_stems_are_found_under_every_spelling(name: str, info: dict[str, str]) -> None:
    result = read_result({"code": 200, "data": {"task_id": TASK, name: info}})
    assert isinstance(result, SeparationResult)
    assert result.stems == {"vocal": "https://x/v", "backing_vocals": "https://x/b"}


def test_what_is_left_over_is_one_stem_though_it_has_two_names() -> None:
    info = {"vocal_url": "https://x/v", "fx_url": "https://x/o", "other_url": "https://x/o"}
    result = read_result({"code": 200, "data": {"task_id": TASK, "vocal_removal_info": info}})
    assert isinstance(result, SeparationResult)
    assert result.stems == {"vocal": "https://x/v", "other": "https://x/o"}
    info["fx_url"] = "https://x/f"
    other = read_result({"code": 200, "data": {"task_id": TASK, "vocal_removal_info": info}})
    assert isinstance(other, SeparationResult)
    assert set(other.stems) == {"vocal", "fx", "other"}


def test_a_video_is_found_in_camel_case() -> None:
    result = read_result(
        {"code": 200, "data": {"taskId": TASK, "videoUrl": "https://x/v", "thumbnailUrl": "https://x/t"}}
    )
    assert isinstance(result, VideoResult)
    assert (result.video_url, result.thumbnail_url) == ("https://x/v", "https://x/t")


@pytest.mark.parametrize("name", ["audioWavUrl", "audio_wav_url"])
def test_a_wav_is_found_in_both_spellings(name: str) -> None:
    result = read_result({"code": 200, "data": {"task_id": TASK, name: "https://x/w"}})
    assert isinstance(result, WavResult)
    assert result.wav_url == "https://x/w"


def test_a_failure_may_come_without_data() -> None:
    result = read_result({"code": 500, "msg": "no notes", "taskId": TASK, "data": None})
    assert isinstance(result, FailedResult)
    assert (result.message, result.task_id) == ("no notes", TASK)


def test_jobs_of_the_unified_form_are_read_as_those_of_the_paths() -> None:
    video = read_result(job("create-music-video", {"resultUrls": ["https://x/v"], "thumbnail_url": "https://x/t"}))
    assert isinstance(video, VideoResult)
    assert (video.video_url, video.thumbnail_url, video.task_id) == ("https://x/v", "https://x/t", TASK)
    stems = read_result(job("separate-vocals", {"resultUrls": ["https://x/v"], "vocal_url": "https://x/v"}))
    assert isinstance(stems, SeparationResult)
    assert stems.stems == {"vocal": "https://x/v"}
    midi = read_result(job("generate-midi-from-audio", {"instruments": [{"name": "Drums", "notes": [NOTE]}]}))
    assert isinstance(midi, MidiResult)
    assert midi.instruments[0].notes[0].pitch == 44
    wav = read_result(job("convert-to-wav-format", {"resultUrls": ["https://x/w"]}))
    assert isinstance(wav, WavResult)


@pytest.mark.parametrize(
    ("model", "kind"),
    [("separate-vocals", "separation"), ("create-music-video", "video"), ("generate-midi-from-audio", "midi")],
)
def test_a_job_that_failed_says_of_which_kind_and_why(model: str, kind: str) -> None:
    body = job(model, state="fail", failMsg="the file is too long", resultJson="")
    result = read_result(body)
    assert isinstance(result, FailedResult)
    assert (result.kind, result.message, kind_of(body)) == (kind, "the file is too long", kind)


@pytest.mark.parametrize("text", ["", "no JSON", "[" * 100_000, "5", None])
def test_a_job_with_a_result_that_cannot_be_read_is_not_understood(text: str | None) -> None:
    assert isinstance(read_result(job("create-music-video", resultJson=text)), UnknownResult)


def test_a_job_of_a_model_that_nobody_knows_is_not_understood() -> None:
    assert isinstance(read_result(job("compose-symphony", {"resultUrls": ["https://x/s"]})), UnknownResult)
