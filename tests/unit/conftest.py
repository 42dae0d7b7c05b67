"""Which unit tests are left out by ``make unit``: those that need weights or system fonts, or take long."""

from pathlib import Path

import pytest

HERE = Path(__file__).parent
SLOW = {
    *("music/separation", "music/transcription", "music/drums", "music/video", "music/rhythm", "music/audio"),
    *("commands/test_video_command.py", "music/test_weights.py", "test_demo_song.py", "test_gallery.py"),
    *("contract/test_results.py", "receiver/inbox/test_large_body.py", "receiver/follow_up/test_worker.py"),
    *("receiver/follow_up/test_command.py", "receiver/follow_up/test_handlers.py", "receiver/http/test_asgi.py"),
    *("receiver/follow_up/test_files.py", "receiver/inbox/test_payload.py", "api/test_multipart.py"),
    *("receiver/inbox/test_inbox.py", "client/test_broken_connections.py", "outbound/test_guard.py"),
}
"""Folders and files below ``tests/unit``."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            place = item.path.relative_to(HERE)
            if {str(place), *(str(folder) for folder in place.parents)} & SLOW:
                item.add_marker(pytest.mark.slow)
