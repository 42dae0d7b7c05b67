"""What a file claims of itself, held against its size before a decoder believes it."""

from pathlib import Path

from antiphon.errors import NotAudio
from antiphon.music.audio.id3 import tag_bytes
from antiphon.music.audio.isobmff import claimed_samples, unpacked_header_bytes
from antiphon.music.audio.riff import riff_chunks

MAX_TAG_BYTES = 64_000_000
"""Of the tags before the sound, with their pictures: stored and unpacked."""

MAX_UNPACKED_HEADER_BYTES = 32_000_000


def check_claims(path: Path) -> None:
    """Refuse a file whose headers speak of more than it can hold.

    Raises:
        NotAudio: They do; the message says which.
    """
    if any(chunk.is_absurd for chunk in riff_chunks(path)):
        raise NotAudio("file: its header is damaged; export it again and upload that")
    size, samples = path.stat().st_size, claimed_samples(path)
    if samples > size:
        raise NotAudio(
            f"file: has {size:,} bytes, and its header speaks of {samples:,} samples, as if each had less than one; "
            "export it again and upload that"
        )
    if unpacked_header_bytes(path) > MAX_UNPACKED_HEADER_BYTES:
        raise NotAudio("file: its header is compressed and unpacks to too much; export it again and upload that")
    if max(tag_bytes(path)) > MAX_TAG_BYTES:
        raise NotAudio(
            f"file: its tags (ID3) have more than {MAX_TAG_BYTES / 1e6:g} MB; save it without them and upload that"
        )
