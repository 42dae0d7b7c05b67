"""The whole line on a short clip, over real HTTP."""

import io
from pathlib import Path

import av
import mido

from antiphon.contract import signatures
from antiphon.contract.callbacks import MidiCallback, SeparationCallback, VideoCallback
from antiphon.contract.records import SongAnalysis
from antiphon.score import midifile
from tests.integration.line import Line
from tests.integration.server import Server

FORTNIGHT = 14 * 24 * 3600 * 1000  # milliseconds


def test_each_task_is_announced_once_and_signed_by_both_schemes(server: Server, line: Line) -> None:
    for name, callback in line.callbacks.items():
        assert callback.headers["content-type"] == "application/json"
        signatures.verify_standard(callback.headers, callback.raw, [server.webhook_key], now=callback.at)
        signatures.verify_documented(callback.headers, line.ids[name], [server.webhook_key], now=callback.at)


def test_callbacks_and_records_agree(line: Line) -> None:
    SeparationCallback.model_validate(line.callbacks["split_stem"].body)
    VideoCallback.model_validate(line.callbacks["video"].body)
    MidiCallback.model_validate(line.callbacks["midi"].body)
    midi = line.callbacks["midi"].body["data"]
    assert line.records["midi"]["midiData"] == {"state": "complete", "instruments": midi["instruments"]}
    assert line.records["video"]["response"]["videoUrl"] == line.callbacks["video"].body["data"]["video_url"]
    for record in line.records.values():
        assert (record["taskState"], record["progress"]) == ("succeeded", 1)
        assert record["expireTime"] - record["completeTime"] >= FORTNIGHT


def test_the_links_of_callback_and_record_lead_to_the_same_files(server: Server, line: Line) -> None:
    announced = line.callbacks["split_stem"].body["data"]["vocal_removal_info"]
    polled = line.records["split_stem"]["response"]
    for ours, theirs in {"origin_url": "originUrl", "vocal_url": "vocalUrl", "drums_url": "drumsUrl"}.items():
        first, second = server.http.get(announced[ours]), server.http.get(polled[theirs])
        assert first.status_code == second.status_code == 200
        assert first.content == second.content
    assert announced["guitar_url"] is polled["guitarUrl"] is None


def test_every_artifact_can_be_downloaded_and_played(server: Server, line: Line) -> None:
    stems = line.records["split_stem"]["response"]["originData"]
    assert [stem["stem_type_group_name"] for stem in stems] == ["Vocals", "Drums", "Bass", "Other"]
    for stem in stems:
        with av.open(fetched(server, stem["audio_url"]), "r") as opened:
            assert sum(frame.samples for frame in opened.decode(audio=0)) == 6 * 44_100
    with av.open(fetched(server, line.records["video"]["response"]["videoUrl"]), "r") as opened:
        picture = opened.streams.video[0]
        assert (picture.width, picture.height, float(picture.average_rate or 0)) == (1280, 720, 30)
        assert sum(1 for _ in opened.decode(picture)) == 6 * 30
    notes = sum(len(instrument["notes"]) for instrument in line.records["midi"]["midiData"]["instruments"])
    song = mido.MidiFile(file=fetched(server, line.records["midi"]["midiUrl"]))
    assert sum(message.type == "note_on" and message.velocity > 0 for message in song) == notes > 0


def test_the_record_tells_what_the_song_is_built_of_and_the_file_has_it_too(server: Server, line: Line) -> None:
    told = line.records["midi"]["analysis"]
    assert SongAnalysis.model_validate(told).model_dump() == told
    assert set(told["downbeats"]) <= set(told["beats"]) != set()
    song = mido.MidiFile(file=fetched(server, line.records["midi"]["midiUrl"]))
    (signature,) = [one for one in song.tracks[0] if one.type == "key_signature"][:1]
    assert signature.key == told["keys"][0]["key"].replace(" minor", "m").removesuffix(" major")
    assert [one.text for one in song.tracks[0] if one.type == "marker"] == [one["label"] for one in told["sections"]]
    assert [one.text for one in song.tracks[1] if one.type == "text"] == [one["chord"] for one in told["chords"]]


def test_notes_are_on_the_grid_that_a_request_asks_for(server: Server, line: Line, tmp_path: Path) -> None:
    asked = {"taskId": line.ids["split_stem"], "quantize": "1/8"}
    record = server.ended("midi", server.post("/midi/generate", asked)["taskId"])
    (tmp_path / "song.mid").write_bytes(fetched(server, record["midiUrl"]).getvalue())
    tempo_map = midifile.read_tempo_map(tmp_path / "song.mid")
    instruments = record["midiData"]["instruments"]
    ticks = [tempo_map.tick(note["start"]) for instrument in instruments for note in instrument["notes"]]
    eighth = tempo_map.resolution / 2
    assert max(abs((tick - tempo_map.first_bar + eighth / 2) % eighth - eighth / 2) for tick in ticks) < 1
    assert {instrument["name"] for instrument in instruments} >= {"Drums"}


def fetched(server: Server, url: str) -> io.BytesIO:
    return io.BytesIO(server.http.get(url).raise_for_status().content)
