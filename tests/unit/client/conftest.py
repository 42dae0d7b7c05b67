from collections.abc import Iterator

import pytest
from tests.unit.client.api import Api, Blocking, Both, Connect, OnALoop

from antiphon.client import Retries


@pytest.fixture(params=[Blocking, OnALoop], ids=["Client", "AsyncClient"])
def connect(request: pytest.FixtureRequest) -> Iterator[Connect]:
    """Makes a client of an API: once the blocking one, once the asynchronous one."""
    opened: list[Both] = []

    def open_one(api: Api, base_url: str = "http://api.example", retries: Retries | None = None) -> Both:
        opened.append(request.param(api, base_url, retries))
        return opened[-1]

    yield open_one
    for client in opened:
        client.close()
