"""Names and content types of the files that tasks have."""

from pathlib import Path

CONTENT_TYPES = {
    ".flac": "audio/flac",
    ".mp3": "audio/mpeg",
    ".wav": "audio/wav",
    ".ogg": "audio/ogg",
    ".aac": "audio/aac",
    ".aiff": "audio/aiff",
    ".m4a": "audio/mp4",
    ".mka": "audio/matroska",
    ".mid": "audio/midi",
    ".json": "application/json",
    ".mp4": "video/mp4",
    ".jpg": "image/jpeg",
}
UNKNOWN_TYPE = "application/octet-stream"


def content_type(filename: str) -> str:
    """Content type of a file by its name; "application/octet-stream" for an unknown one."""
    return CONTENT_TYPES.get(Path(filename).suffix.lower(), UNKNOWN_TYPE)


def file_name(title: str, name: str, suffix: str) -> str:
    """``Title - vocal.flac``, without what file systems do not like."""
    safe = "".join("_" if character in '<>:"/\\|?*' or ord(character) < 32 else character for character in title)
    return f"{safe.strip(' .')[:100] or 'song'} - {name}{suffix}"
