"""A contact sheet of the music video's themes, shapes and kinds of words: ``make gallery``.

The pictures are frames of videos of the demo's song, each as ``antiphon video --preview`` would give it.
"""

import argparse
import tempfile
from dataclasses import dataclass
from pathlib import Path

import mido
import numpy as np
from PIL import Image

from antiphon.music.video import VideoContent, VideoLook, still

HERE = Path(__file__).parent
OUT = HERE.parent / "docs" / "images" / "gallery.jpg"
ROW, GAP, WIDTH = 350, 20, 1920
GROUND = (14, 15, 18)
TITLE = "Call, and I Will Answer"
CHINESE = """[00:19]海面上有人轻轻呼唤
[00:24]我在岸上一句一句回答
[00:31]天就亮了"""
CYRILLIC = """[00:20.0]<00:20.0>Ты <00:20.5>зовёшь, <00:21.2>и я <00:21.9>отвечу
[00:25]Через воду, через ветер, через ночь"""


@dataclass(frozen=True)
class Specimen:
    """One picture of the sheet; ``at`` in seconds. ``cover``: "sea" or "paper", or none for a generated one."""

    theme: str
    aspect: str
    title: str
    author: str = "Antiphon"
    domain: str = "antiphon.example"
    lyrics: str = ""
    cover: str = ""
    at: float = 26.0


def rows() -> list[list[Specimen]]:
    """The sheet: a theme in each row."""
    sung = words_of(HERE / "song.mid")
    author, domain = (
        "The Saint Petersburg Philharmonic Youth Orchestras",
        "the-longest-domain-name-that-we-permit.example.org",
    )
    return [
        [
            Specimen("bars", "16:9", TITLE, cover="sea"),
            Specimen("bars", "1:1", "温柔的夜色", "林晚", cover="paper"),
            Specimen("bars", "9:16", "Harbour Lights", "Mara Lind", lyrics=sung, at=20.2),
            Specimen("bars", "16:9", TITLE, lyrics=sung, at=20.2),
        ],
        [
            Specimen("circle", "16:9", "Nocturne in Blue", "Ida Noor"),
            Specimen("circle", "1:1", "Ночной поезд", "Вера Соколова", lyrics=CYRILLIC, at=21.6),
            Specimen("circle", "9:16", "Αιγαίο", "Νίκος Βέργης", cover="sea"),
            Specimen("circle", "16:9", "海边的回答 (Live in 上海)", "林晚 & the Tides", lyrics=CHINESE, at=22.0),
        ],
        [
            Specimen("wave", "16:9", "Everything I Meant to Say Before the Last Train Left", author, domain),
            Specimen("wave", "1:1", "Slow Tide", "Ines Okafor"),
            Specimen(
                "wave",
                "9:16",
                "夜のうた",
                "青木ひかり",
                lyrics="[00:20]君の声が聞こえる\n[00:27]波の向こうから",
                at=22.0,
            ),
            Specimen("wave", "16:9", "Low Sun", "Pale Harbour", lyrics=sung, cover="sea", at=20.2),
        ],
    ]


def words_of(midi: Path) -> str:
    """The lyrics of a MIDI file as LRC with a time for each syllable; a line feed in them ends a line."""
    text, time, begins = "", 0.0, True
    for message in mido.MidiFile(midi):
        time += message.time
        if message.type == "lyrics":
            text += f"[{_stamp(time)}]" * begins + f"<{_stamp(time)}>{message.text}"
            begins = message.text.endswith("\n")
    return text


def _stamp(seconds: float) -> str:
    return f"{int(seconds // 60):02d}:{seconds % 60:05.2f}"


def covers(folder: Path) -> dict[str, Path]:
    """Pictures to stand for what people upload: a colourful one and one that is nearly white."""
    y, x = np.mgrid[0:1:700j, 0:1:700j]
    sky = np.stack([0.96 - 0.5 * (1 - y) ** 0.7, 0.55 - 0.25 * (1 - y), 0.38 + 0.3 * (1 - y)], axis=-1)
    sun = np.clip((0.13 - np.hypot(x - 0.62, y - 0.5)) * 300, 0, 1)[..., None]
    sky = sky * (1 - sun) + np.array([1, 0.86, 0.6]) * sun
    ripple = 0.5 + 0.5 * np.sin(90 * np.sqrt(np.maximum(y - 0.56, 0)) * (2 + 0.05 * np.sin(40 * x)) + 14 * x)
    path = np.exp(-(((x - 0.62) / (0.06 + 0.3 * np.maximum(y - 0.56, 0))) ** 2)) * ripple
    water = np.array([0.1, 0.16, 0.3]) + 0.1 * ripple[..., None] + path[..., None] * np.array([0.75, 0.5, 0.25])
    sea = np.where(y[..., None] > 0.58, water, sky)
    paper = np.full((700, 700, 3), 0.93)
    paper[np.hypot(x - 0.5, y - 0.5) < 0.27] = (0.85, 0.22, 0.18)
    paths = {}
    for name, picture in (("sea", sea), ("paper", paper)):
        paths[name] = folder / f"{name}.png"
        Image.fromarray(np.rint(255 * np.clip(picture, 0, 1)).astype(np.uint8)).save(paths[name])
    return paths


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=OUT)
    out: Path = parser.parse_args().out
    lines = rows()
    sheet = Image.new("RGB", (WIDTH, len(lines) * (ROW + GAP) + GAP), GROUND)
    with tempfile.TemporaryDirectory() as folder:
        given = covers(Path(folder))
        for number, line in enumerate(lines):
            pictures = [_draw(specimen, given.get(specimen.cover)) for specimen in line]
            x = float((WIDTH - sum(picture.width for picture in pictures) - GAP * (len(pictures) - 1)) // 2)
            for picture in pictures:
                sheet.paste(picture, (int(x), GAP + number * (ROW + GAP)))
                x += picture.width + GAP
    sheet.save(out, quality=86, progressive=True, optimize=True)
    print(out)


def _draw(specimen: Specimen, cover: Path | None) -> Image.Image:
    picture = still(
        HERE / "song.mp3",
        VideoContent(
            specimen.title,
            author=specimen.author,
            domain=specimen.domain,
            cover=cover,
            lyrics=specimen.lyrics,
            look=VideoLook(specimen.theme, specimen.aspect),
        ),
        at=specimen.at,
    ).picture
    return picture.resize((round(ROW * picture.width / picture.height), ROW), Image.Resampling.LANCZOS)


if __name__ == "__main__":
    main()
