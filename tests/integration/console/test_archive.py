"""All files of a task in one ZIP."""

import io
import json
import zipfile
from pathlib import Path

from tests.integration.console.browser import Browser
from tests.integration.line import Line
from tests.integration.server import Server


def test_the_archive_of_a_separation_holds_its_stems_by_their_names(server: Server, line: Line) -> None:
    answer = server.call("GET", f"/tasks/{line.ids['split_stem']}/archive")
    assert answer.headers["content-type"] == "application/zip"
    assert 'attachment; filename="Clip - stems.zip"' in answer.headers["content-disposition"]
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        names = [f"Clip - {stem}.flac" for stem in ("vocal", "drums", "bass", "other")]
        assert archive.namelist() == names
        for artifact in server.get(f"/tasks/{line.ids['split_stem']}")["artifacts"]:
            assert archive.read(artifact["filename"]) == server.http.get(artifact["url"]).content
        assert {entry.compress_type for entry in archive.infolist()} == {zipfile.ZIP_STORED}
        assert archive.infolist()[0].date_time[0] >= 2024


def test_the_archive_of_midi_holds_the_notes_too(server: Server, line: Line) -> None:
    answer = server.call("GET", f"/tasks/{line.ids['midi']}/archive")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.namelist() == ["Clip - midi.mid", "Clip - notes.json"]
        assert json.loads(archive.read("Clip - notes.json")) == line.records["midi"]["midiData"]["instruments"]


def test_a_title_cannot_leave_the_folder_into_which_it_is_unpacked(
    signed_in: Browser, server: Server, clip: Path, key: str
) -> None:
    uploaded = server.upload(clip, key=key, title='../../é\\..\\"<b>x</b>')
    answer = signed_in.call("GET", f"/tasks/{uploaded['taskId']}/archive")
    assert '"' not in answer.headers["content-disposition"].split('filename="')[1].split('"; ')[0]
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        (name,) = archive.namelist()
    assert not {"/", "\\", "<", '"'} & set(name) and not name.startswith(".")
    assert "é" in name


def test_a_task_without_files_has_no_archive(server: Server, key: str) -> None:
    for state in ("queued", "failed"):
        answer = server.call("GET", f"/tasks/{server.plant('midi', state)}/archive")
        assert (answer.status_code, f"it is {state}" in answer.json()["msg"]) == (409, True)
    assert server.call("GET", f"/tasks/{server.plant('midi', 'queued')}/archive", key=key).status_code == 404
