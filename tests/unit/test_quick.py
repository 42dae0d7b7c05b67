"""What the quick unit tests do without."""

import socket

import pytest

from antiphon.music import weights
from antiphon.settings import load_settings


def test_there_are_no_weights() -> None:
    assert not any(status.ready for status in weights.status(load_settings().models_folder))


@pytest.mark.parametrize("host", ["192.0.2.1", "receiver.example"])
def test_nothing_outside_is_reached_or_looked_up(host: str) -> None:
    with pytest.raises(ConnectionRefusedError, match="may not reach"):
        socket.create_connection((host, 80))


def test_loopback_is() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()):
        pass


@pytest.mark.slow
def test_a_slow_test_has_what_the_settings_say() -> None:
    assert load_settings().models_folder.parent.exists()
