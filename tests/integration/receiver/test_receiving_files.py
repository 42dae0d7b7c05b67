"""What our server announces becomes files: from its callbacks, through the inbox, to a folder for each task."""

import json
from pathlib import Path

import av
import pytest
from PIL import Image

from antiphon.contract.results import FailedResult, read_result
from antiphon.download import Downloader
from antiphon.receiver.follow_up.files import FilesStep
from antiphon.receiver.follow_up.paths import folder_of
from antiphon.receiver.follow_up.step import Delivery
from antiphon.receiver.inbox.inbox import Inbox
from antiphon.score import midifile
from tests.integration.line import KINDS, Line
from tests.integration.server import Server

EXPECTED = {
    "separate_vocal": ["instrumental", "vocal"],
    "split_stem": ["bass", "drums", "other", "vocal"],
    "midi": ["midi.json", "song.mid"],
    "video": ["thumbnail", "video"],
}


@pytest.mark.parametrize("name", KINDS)
def test_every_callback_of_a_song_becomes_its_files(server: Server, line: Line, tmp_path: Path, name: str) -> None:
    with Inbox(tmp_path) as inbox:
        event, _ = inbox.add(line.callbacks[name].raw, scheme="standard")
        delivery = Delivery(
            event=event,
            result=read_result(json.loads(event.body)),
            attempt=1,
            folder=folder_of(inbox.folder, event),
            files={},
            expires_at=inbox.work(event.id).expires_at,
            report=lambda fraction, text: None,
        )
        assert not isinstance(delivery.result, FailedResult), delivery.result.message
        files = FilesStep(Downloader(allow_private=True, reserve=0), reserve=0).run(delivery)
    assert sorted(files) == EXPECTED[name]
    assert {path.parent for path in files.values()} == {tmp_path / KINDS[name] / line.ids[name]}
    if name == "midi":
        told = line.callbacks["midi"].body["data"]["instruments"]
        written = midifile.read(files["song.mid"])
        assert files["midi.json"].read_bytes() == line.callbacks["midi"].raw
        assert [one.name for one in written] == [one["name"] for one in told if one["notes"]]
    else:
        if name == "video":
            with Image.open(files["thumbnail"]) as picture:
                assert picture.format == "JPEG" and 9 * picture.width == 16 * picture.height
        for path in (path for name, path in files.items() if name != "thumbnail"):
            with av.open(str(path), "r") as opened:
                assert opened.duration is not None and round(opened.duration / av.time_base) == 6
