"""Calls of the public client suno-easy, as it is published, for all that we offer of what it knows.

Run by an interpreter that has suno-easy and nothing of ours. On standard input comes a JSON object: either ``server``,
``key``, ``song``, ``song_url``, ``callback_url``, ``task_id`` and ``audio_id``, or ``callbacks``, bodies by kind. On
standard output goes what the calls gave.
"""

import base64
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from suno_easy import SunoClient  # type: ignore[import-not-found]
from suno_easy.models import Song  # type: ignore[import-not-found]
from suno_easy.webhooks import (  # type: ignore[import-not-found]
    parse_midi_webhook,
    parse_video_webhook,
    parse_vocal_separation_webhook,
    parse_wav_webhook,
)


def call(server: str, key: str, callback_url: str, **song: str) -> dict[str, Any]:
    SunoClient.BASE_URL = server
    client = SunoClient(key, callback_url=callback_url, upload_base_url=server)
    return {
        "credits": client.account.get_credits().remaining,
        **files(client, song["song"], song["song_url"]),
        **work(client, song["task_id"], song["audio_id"]),
    }


def files(client: Any, song: str, song_url: str) -> dict[str, Any]:
    """The three ways to bring a file in, and a separation of one by its address."""
    text = "data:audio/flac;base64," + base64.b64encode(Path(song).read_bytes()).decode()
    uploaded = {
        "stream": client.upload.upload_stream(song, "music/new", "stream.flac"),
        "url": client.upload.upload_url(song_url, "music/new"),
        "base64": client.upload.upload_base64(text, "music/new", "base64.flac"),
    }
    said: dict[str, Any] = {
        way: [file.file_name, file.file_path, file.file_size, file.mime_type] for way, file in uploaded.items()
    }
    request = client.apply_callback({"audioUrl": uploaded["stream"].download_url})
    task_id = client.post("/api/v1/vocal-removal/generate", request)["data"]["taskId"]
    record = client.wait_task(task_id, "/api/v1/vocal-removal/record-info", timeout=120, poll_interval=1)
    return said | {"by address": sorted(name for name, url in record["response"].items() if url)}


def work(client: Any, task_id: str, audio_id: str) -> dict[str, Any]:
    """All kinds of work on one song, each result downloaded."""
    [song] = Song.from_task_data(client.music.get_task(task_id))
    lyrics = client.lyrics.get_timestamped(task_id, audio_id)
    vocals = client.audio.separate_vocals(task_id, audio_id)
    split = client.audio.separate_vocals(task_id, audio_id, mode="split_stem", wait=False)
    stems = split.wait(poll_interval=1)
    request = {"taskId": task_id, "audioId": audio_id, "type": "split_stem_advanced", "stemName": "Drums"}
    drums = client.post("/api/v1/vocal-removal/generate", client.apply_callback(request))["data"]["taskId"]
    client.wait_task(drums, "/api/v1/vocal-removal/record-info", poll_interval=1)
    midi = client.audio.generate_midi(split.task_id)
    video = client.video.create(task_id, audio_id, author="Ada", domain_name="Harbour Records")
    wav = client.audio.convert_wav(task_id, audio_id)
    return {
        "song": [song.id, song.title, song.duration, song.prompt, downloaded(song)],
        "lyrics": [[word.word, word.start_s, word.end_s] for word in lyrics.aligned_words],
        "waveform": len(lyrics.waveform_data),
        "separate_vocal": [downloaded(vocals, "download_vocal"), downloaded(vocals, "download_instrumental")],
        "split_stem": [name for name, url in vars(stems).items() if url],
        "advanced": [name for name, url in vars(client.audio.get_separated_stems(drums)).items() if url],
        "midi": [midi.state, [instrument.name for instrument in midi.instruments]],
        "video": [video.task_id, video.music_id, downloaded(video)],
        "wav": [wav.task_id, wav.music_id, downloaded(wav)],
        "split": split.task_id,
    }


def downloaded(thing: Any, how: str = "download") -> str:
    """The first bytes of a file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "file")
        getattr(thing, how)(str(path))
        return path.read_bytes()[:12].hex()


def read(callbacks: dict[str, Any]) -> dict[str, Any]:
    """What the client's own webhook parsers make of our callbacks."""
    event, midi = parse_midi_webhook(callbacks["midi"])
    video_event, video = parse_video_webhook(callbacks["video"])
    wav_event, wav = parse_wav_webhook(callbacks["wav"])
    stems_event, _ = parse_vocal_separation_webhook(callbacks["separation"])
    events = (event, video_event, wav_event, stems_event)
    return {
        "tasks": [event.task_id for event in events],
        "successes": [event.is_success and not event.is_error for event in events],
        "notes": [len(instrument.notes) for instrument in midi.instruments],
        "video": video.video_url,
        "wav": wav.wav_url,
    }


if __name__ == "__main__":
    given = json.load(sys.stdin)
    print(json.dumps(read(given["callbacks"]) if "callbacks" in given else call(**given)))
