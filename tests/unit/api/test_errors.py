"""What clients are told of faults of the server."""

import errno

import httpx
import pytest
from fastapi import FastAPI

from antiphon.api import errors
from antiphon.errors import StorageError
from antiphon.tasks.run import explain

PLACE = "/srv/antiphon/artifacts"


@pytest.mark.parametrize(
    "error",
    [
        errors.unkept(OSError(errno.ENOSPC, "No space left on device", f"{PLACE}/upload-file")),
        StorageError(f"the disk of the artifacts in {PLACE} is full: free some space"),
        StorageError(f"{PLACE}/x could not be written: No space left on device"),
    ],
)
async def test_what_a_client_is_told_of_a_full_disk_names_no_place(error: StorageError) -> None:
    app = FastAPI()
    errors.install(app)

    @app.get("/")
    def fail() -> None:
        raise error

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x") as client:
        answer = await client.get("/")
    assert (answer.status_code, answer.json()["code"]) == (500, 500)
    assert (PLACE not in answer.text and "disk" in answer.text) or "storage" in answer.text
    assert PLACE not in explain(error).message
    assert PLACE in error.message  # the log has it
