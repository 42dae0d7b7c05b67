"""The command line, run as a user runs it."""

import json
import os
import re
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import mido
import pytest
from PIL import Image

from antiphon.client import ApiError, Client
from antiphon.contract.kinds import Kind, SeparationType
from antiphon.contract.signatures import verify_standard
from antiphon.database.embedded import EmbeddedPostgres
from antiphon.errors import Maintenance, Unauthorized
from tests.acceptance.cluster import Cluster, Receiver, await_end, free_port
from tests.waiting import wait_for

GENERAL_MIDI_DRUMS = 9


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """``antiphon serve`` with nothing set up: everything in one process, over a PostgreSQL of its own."""
    folder = tmp_path_factory.mktemp("server")
    postgres = EmbeddedPostgres(folder / "one")
    try:
        with Cluster(folder, None) as cluster:
            cluster.start()
            yield cluster
    finally:
        postgres.destroy()


def test_keys_are_made_listed_and_revoked(server: Cluster, clip: Path) -> None:
    key = server.succeed("keys", "create", "studio").strip()
    with Client(server.base_url, key) as client:
        assert client.upload(clip)["title"] == "clip"
        number = next(line.split()[0] for line in server.succeed("keys", "list").splitlines() if "studio" in line)
        assert "is revoked" in server.succeed("keys", "revoke", number)
        with pytest.raises(ApiError, match="unknown or revoked") as refused:
            client.upload(clip)
    assert refused.value.answer_code == Unauthorized.code
    listed = {line.split()[-1]: line for line in server.succeed("keys", "list").splitlines()}
    assert "revoked" in listed["studio"]
    assert "valid" in listed["first"]
    again = server.command("keys", "revoke", number)
    assert again.returncode == 1
    assert f"there is no API key {number} that could be revoked" in again.stderr
    assert "Traceback" not in again.stderr


def test_the_first_command_shows_the_first_keys_beside_its_result(cluster: Cluster) -> None:
    done = cluster.command("keys", "create", "studio")
    assert re.fullmatch(r"ak_\S+\n", done.stdout)
    assert re.search(r"API key +ak_\S+\n +webhook key +whsec_\S+\n", done.stderr)
    assert "first keys" not in cluster.command("keys", "list").stderr


def test_callbacks_are_signed_by_both_keys_while_one_is_rotated_and_sent_again_with_one_identity(
    server: Cluster, receiver: Receiver, clip: Path
) -> None:
    key = server.succeed("keys", "webhook", "rotate").strip()
    assert key.startswith("whsec_")
    with server.client() as client:
        track = client.upload(clip)
        task = client.separate(track["taskId"], track["audioId"], SeparationType.SEPARATE_VOCAL, receiver.url)
        await_end(client, Kind.SEPARATION, task)
    receiver.await_callback(task)
    assert re.search(r"1\. \d{4}-.*  200  \d+ ms .*acknowledged", server.succeed("callbacks", "list", task))
    server.succeed("callbacks", "resend", task)
    wait_for(lambda: len(receiver.received_for(task)) == 2, "the callback to come again")
    received = receiver.received_for(task)
    for callback in received:
        for each in (key, server.webhook_key):
            verify_standard(callback.headers, callback.body, [each], now=callback.at)
    assert len({callback.headers["webhook-id"] for callback in received}) == 1
    assert len({callback.body for callback in received}) == 1


def test_maintenance_takes_no_new_work_but_answers_polls(server: Cluster, clip: Path) -> None:
    with server.client() as client:
        track = client.upload(clip)
        assert "is on" in server.succeed("maintenance", "on")
        try:
            with pytest.raises(ApiError) as refused:
                client.separate(track["taskId"], track["audioId"], SeparationType.SEPARATE_VOCAL)
        finally:
            server.succeed("maintenance", "off")
        assert refused.value.answer_code == Maintenance.code
        client.cancel(client.separate(track["taskId"], track["audioId"], SeparationType.SEPARATE_VOCAL))


def ticks(midi: Path) -> Iterator[tuple[int, mido.Message]]:
    """All messages of a file with the ticks at which they stand."""
    for track in mido.MidiFile(midi).tracks:
        tick = 0
        for message in track:
            tick += message.time
            yield tick, message


def test_the_engines_work_without_a_server(cluster: Cluster, clip: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    cluster.succeed("stems", os.fspath(clip), "-o", os.fspath(out), "--type", "separate_vocal")
    assert sorted(path.name for path in out.iterdir()) == ["instrumental.flac", "vocal.flac"]
    for path in out.iterdir():
        with av.open(os.fspath(path)) as container:
            assert container.streams.audio[0].duration == 5 * 44100

    printed = cluster.succeed("midi", os.fspath(clip), "-o", os.fspath(out / "song.mid"), "--json", "--plot")
    assert printed.split() == [os.fspath(out / f"song.{suffix}") for suffix in ("mid", "json", "png")]
    played = [message for message in mido.MidiFile(out / "song.mid") if message.type == "note_on" and message.velocity]
    noted = json.loads((out / "song.json").read_text())
    assert len(played) == sum(len(instrument["notes"]) for instrument in noted) > 5
    assert all(message.channel != GENERAL_MIDI_DRUMS for message in played), "without stems nobody hears drums"
    with Image.open(out / "song.png") as picture:
        assert picture.width > picture.height > 100

    cluster.succeed("midi", os.fspath(clip), "-o", os.fspath(out / "grid.mid"), "--quantize", "1/8")
    eighth = mido.MidiFile(out / "grid.mid").ticks_per_beat // 2
    starts = [tick for tick, message in ticks(out / "grid.mid") if message.type == "note_on" and message.velocity]
    assert len(starts) > 5
    assert {tick % eighth for tick in starts} == {starts[0] % eighth}

    cluster.succeed("video", os.fspath(clip), "-o", os.fspath(out / "song.mp4"), "--title", "Song", "--author", "Me")
    with av.open(os.fspath(out / "song.mp4")) as container:
        video = container.streams.video[0]
        assert (video.width, video.height) == (1280, 720)
        assert video.average_rate == Fraction(30)
        assert video.frames == pytest.approx(150, abs=3)
        assert len(container.streams.audio) == 1


def test_the_engines_say_in_words_what_is_wrong_with_a_file(cluster: Cluster, tmp_path: Path) -> None:
    text = tmp_path / "text.mp3"
    text.write_text("no song")
    for file, words in ((text, "file: "), (tmp_path / "missing.mp3", "there is no file")):
        done = cluster.command("midi", os.fspath(file))
        assert done.returncode == 1
        assert words in done.stderr
        assert "Traceback" not in done.stderr
    assert not (tmp_path / "text.mid").exists()


def test_models_are_listed_with_their_licences(cluster: Cluster, tmp_path: Path) -> None:
    lines = cluster.succeed("models", "list").splitlines()
    assert [line.split()[:3] for line in lines] == [
        ["basic_pitch", "ready", "Apache-2.0"],
        ["swift_f0", "ready", "MIT"],
        ["spleeter", "ready", "MIT"],
        ["htdemucs", "optional", "research"],
        ["htdemucs_ft", "optional", "research"],
        ["htdemucs_6s", "optional", "research"],
    ]
    missing = cluster.succeed("models", "list", models=tmp_path / "empty")
    assert missing.count("missing") == 3


def test_the_doctor_finds_nothing_wrong_with_a_sound_server(cluster: Cluster) -> None:
    verdicts = cluster.succeed("doctor", "--url", "http://127.0.0.1:9999/callback").splitlines()
    assert all(verdict.startswith("ok ") for verdict in verdicts)
    assert [verdict.split()[1] for verdict in verdicts] == [
        "weights", "storage", "links", "guard", "cage", "address", "database", "clock", "retention",
    ]  # fmt: skip
    assert "engines have bounded memory and time" in verdicts[4]


def complaints(cluster: Cluster, *arguments: str, **settings: object) -> list[str]:
    done = cluster.command("doctor", *arguments, **settings)
    assert done.returncode == 1
    assert "Traceback" not in done.stdout + done.stderr
    return [line for line in done.stdout.splitlines() if line.startswith("BAD")]


def test_the_doctor_says_what_is_wrong_with_weights_and_address(cluster: Cluster, tmp_path: Path) -> None:
    url = "http://10.0.0.1/callback"
    weights, address = complaints(cluster, "--url", url, models=tmp_path / "empty")
    assert weights.split()[1] == "weights"
    assert "basic_pitch, swift_f0, spleeter; run 'antiphon models fetch'" in weights
    assert address.split()[1] == "address"
    assert "10.0.0.1" in address and "ANTIPHON_CALLBACK_ALLOW" in address


def test_the_doctor_says_that_the_database_is_down(cluster: Cluster) -> None:
    found, clock, retention = complaints(
        cluster, database_url=f"postgresql://someone:secret@127.0.0.1:{free_port()}/songs"
    )
    assert found.split()[1] == "database"
    assert "no connection to PostgreSQL at 127.0.0.1/songs" in found
    assert "ANTIPHON_DATABASE_URL" in found
    assert "secret@" not in found
    assert clock.split()[1] == "clock"
    assert retention.split()[1] == "retention"
    for unchecked in (clock, retention):
        assert "not checked: the database must be right first" in unchecked


def test_the_doctor_says_that_links_would_lead_nowhere(cluster: Cluster) -> None:
    (found,) = complaints(cluster, host="0.0.0.0", public_url="")
    assert "ANTIPHON_PUBLIC_URL" in found


def test_the_doctor_says_that_the_storage_cannot_be_written(cluster: Cluster, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    found, *unchecked = complaints(cluster, storage_url=file / "artifacts")
    assert found.split()[1] == "storage"
    assert os.fspath(file) in found
    assert all("not checked" in line for line in unchecked)


def test_a_misspelt_setting_is_named(cluster: Cluster) -> None:
    done = cluster.command("doctor", storage_ulr="/tmp")
    assert done.returncode == 1
    assert "unknown setting ANTIPHON_STORAGE_ULR" in done.stderr
