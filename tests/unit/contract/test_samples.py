"""Samples of callbacks are what the real ones are, but for marked ids."""

import json
from typing import Any

import pytest

from antiphon.contract.callbacks import MidiCallback, SeparationCallback, VideoCallback
from antiphon.contract.kinds import Kind
from antiphon.contract.requests import TASK_ID
from antiphon.contract.samples import samples
from antiphon.receiver.inbox.payload import read

MODELS: dict[Kind, Any] = {Kind.SEPARATION: SeparationCallback, Kind.MIDI: MidiCallback, Kind.VIDEO: VideoCallback}


def test_there_is_a_success_and_a_failure_of_each_kind_and_midi_of_a_whole_song() -> None:
    assert [(sample.kind.value, sample.failed) for sample in samples()] == [
        ("separation", False),
        ("separation", True),
        ("midi", False),
        ("midi", True),
        ("video", False),
        ("video", True),
        ("midi", False),
    ]
    assert {sample.kind for sample in samples([Kind.MIDI])} == {Kind.MIDI}
    assert [sample.large for sample in samples()] == [False] * 6 + [True]
    assert 300_000 < len(samples()[-1].body) < 400_000


@pytest.mark.parametrize("sample", samples(), ids=lambda sample: f"{sample.kind}-{sample.failed}-{sample.large}")
def test_a_sample_has_the_shape_of_its_kind_and_marked_ids(sample: Any) -> None:
    body = json.loads(sample.body)
    MODELS[sample.kind].model_validate(body)
    assert body["code"] == (500 if sample.failed else 200)
    assert ("sample" in body["msg"]) is sample.failed
    assert TASK_ID.fullmatch(sample.task_id)
    assert sample.task_id.startswith("0" * 24)
    assert sample.webhook_id.startswith("msg_test_")
    understood = read(sample.body)
    assert (understood.kind, understood.task_id) == (sample.kind.value, sample.task_id)


def test_no_two_samples_have_an_id_in_common() -> None:
    several = samples() + samples()
    assert len({sample.task_id for sample in several}) == len({sample.webhook_id for sample in several}) == 14
