"""Fonts of the text: Inter for Latin, Greek and Cyrillic, Noto Sans CJK for Chinese, Japanese and Korean, the system's
for other scripts."""

import importlib.util
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

import fontpkg_inter
from fontTools.ttLib import TTFont
from fontTools.ttLib.ttCollection import TTCollection

from antiphon.music.confinement.readable import FONT_FOLDERS

INTER = Path(fontpkg_inter.__file__).parent / "files" / "Inter[opsz,wght].ttf"
CJK_PACKAGE = "manimgx_fonts_cjk"
"""A wheel that brings Noto Sans CJK; it is used when it is installed and the system has no CJK font."""

CJK_FILES = ("NotoSansCJK", "SourceHanSans", "NotoSansSC", "NotoSansJP", "NotoSansKR", "wqy-", "PingFang", "msyh")
OTHER_FILES = ("NotoSans-", "NotoSansArabic", "NotoSansHebrew", "NotoSansThai", "NotoSansDevanagari", "DejaVuSans")
MIN_OPTICAL_SIZE, MAX_OPTICAL_SIZE = 14, 32
"""The sizes between which Inter changes its forms."""

ASTRAL_SYMBOLS = range(0x1F000, 0x20000)
"""Emoji and other pictographs: the few glyphs that text fonts have of them look like a mistake beside text."""

_READING = Lock()
"""Held while fontTools reads: it loads tables when they are asked for, by a seek and a read of the font's file, which
all faces of a collection share, and into objects that no two threads may fill at a time."""


class Face:
    """One face of a font file: which characters it has and how wide they are. Threads may share it."""

    def __init__(self, path: Path, font: Any, files: tuple[Path, ...]) -> None:
        names = font["name"]
        self.path = path
        self.files = files
        self.family: str = names.getBestFamilyName() or path.stem
        self._font = font
        self._cmap: dict[int, str] = font.getBestCmap() or {}
        self._units: int = font["head"].unitsPerEm
        self._glyphs: dict[tuple[int, int], Any] = {}
        self._advances: dict[tuple[str, int, int], float] = {}

    def has(self, character: str) -> bool:
        """Whether the face can draw the character."""
        code = ord(character)
        return code in self._cmap and code not in ASTRAL_SYMBOLS

    def advance(self, character: str, weight: int, size: float) -> float:
        """The width of a character in em at a CSS weight (100–900) and size, without kerning.

        Where a face has forms for each size (the axis ``opsz``), resvg takes the size's own: large ones are narrower.
        """
        optical = int(min(max(size, MIN_OPTICAL_SIZE), MAX_OPTICAL_SIZE)) // 2 * 2  # rather too wide than too narrow
        key = (character, weight, optical)
        if key not in self._advances:
            with _READING:
                self._advances[key] = self._read_advance(*key)
        return self._advances[key]

    def close(self) -> None:
        """Close the font's file, which all faces of a collection share."""
        self._font.close()

    def _read_advance(self, character: str, weight: int, optical: int) -> float:
        style = (weight, optical)
        if style not in self._glyphs:
            location = {"wght": weight, "opsz": optical} if "fvar" in self._font else None
            self._glyphs[style] = self._font.getGlyphSet(location=location)
        return float(self._glyphs[style][self._cmap[ord(character)]].width / self._units)


@cache
def inter() -> Face:
    """The default face, which comes with the package ``fontpkg-inter``."""
    return Face(INTER, TTFont(INTER, lazy=True), (INTER,))


@cache
def fallbacks() -> tuple[Face, ...]:
    """The faces tried for what Inter lacks, best first. Empty where the machine has none."""
    cjk = _styles(_system_files(CJK_FILES))
    spec = importlib.util.find_spec(CJK_PACKAGE)
    if not cjk and spec is not None and spec.submodule_search_locations:
        packaged = [p for folder in spec.submodule_search_locations for p in Path(folder).glob("*.tt[cf]")]
        cjk = [[path] for path in packaged]
    return tuple(face for files in cjk + _styles(_system_files(OTHER_FILES)) for face in faces_of(files))


def face_for(character: str, preferred: str = "") -> Face | None:
    """The first face that has the character; ``preferred`` is the end of a family's name ("SC", "JP", "KR")."""
    if inter().has(character):
        return inter()
    if ord(character) in ASTRAL_SYMBOLS:
        return None
    having = [face for face in fallbacks() if face.has(character)]
    return next(
        (face for face in having if preferred and face.family.endswith(preferred)), having[0] if having else None
    )


def faces_of(files: list[Path]) -> Iterator[Face]:
    """The faces of the first of ``files``, one font or a collection, the rest being other styles of the same family.

    A damaged file has none.
    """
    path = files[0]
    try:
        if path.suffix == ".ttc":
            fonts: list[Any] = list(TTCollection(path, lazy=True).fonts)
        else:
            fonts = [TTFont(path, lazy=True)]
        for font in fonts:
            yield Face(path, font, tuple(files))
    except Exception:  # a damaged font of the system is no reason to make no video
        return


def _system_files(stems: tuple[str, ...]) -> list[Path]:
    found: list[Path] = []
    for folder in FONT_FOLDERS:
        for parent, _, names in os.walk(Path(folder).expanduser()):
            found += [
                Path(parent) / name
                for name in names
                if name.startswith(stems) and name.lower().endswith((".ttf", ".otf", ".ttc"))
            ]
    return sorted(found, key=lambda path: (_rank(path, stems), path.name))


def _rank(path: Path, stems: tuple[str, ...]) -> int:
    return next(i for i, stem in enumerate(stems) if path.name.startswith(stem))


def _styles(paths: list[Path]) -> list[list[Path]]:
    """The files grouped by family, regular before bold; faces that are condensed, italic or thin are left out."""
    families: dict[str, list[Path]] = {}
    for path in paths:
        stem = path.name.split(".")[0].split("[")[0]
        family, _, style = stem.partition("-")
        if style in {"", "VF", "Regular", "Bold", "zenhei", "microhei"}:
            families.setdefault(family, []).append(path)
    return [sorted(files, key=lambda path: "Bold" in path.name) for files in families.values()]
