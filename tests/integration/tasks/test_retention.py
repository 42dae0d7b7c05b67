"""Deletion of what has expired or belongs to no task, with folders that cannot be deleted."""

import os
import time
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from antiphon import checks
from antiphon.errors import StorageError
from antiphon.keys import create_api_key
from antiphon.services import Services, open_services
from antiphon.settings import Settings
from antiphon.tasks import store
from antiphon.tasks.retention import MIN_RETRY_S, Retention


@pytest.fixture
async def services(database_url: str, tmp_path: Path) -> AsyncIterator[Services]:
    settings = Settings(data=tmp_path / "data", database_url=database_url, storage_url=str(tmp_path / "artifacts"))
    async with open_services(settings) as services:
        yield services


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


async def expired(services: Services, hours: int) -> str:
    """A task that expired so long ago, with a file in the storage."""
    task_id = uuid4().hex
    query = text(
        "INSERT INTO tasks (id, api_key_id, kind, state, completed_at, expires_at)"
        " VALUES (:id, :key, 'midi', 'succeeded', now(), now() - make_interval(hours => :hours))"
    )
    async with services.database.begin() as connection:
        _, key = await create_api_key(connection, "test")
        await connection.execute(query, {"id": task_id, "key": key.id, "hours": hours})
    await services.storage.put_bytes(f"{task_id}/0/midi.mid", b"notes", "audio/midi")
    return task_id


def folder_of(services: Services, prefix: str) -> Path:
    return Path(services.settings.storage_location) / prefix


async def undeletable(services: Services, hours: int) -> str:
    """As above, but a file stands where the folder should: no user can delete it as a folder, root neither."""
    task_id = await expired(services, hours)
    await services.storage.delete_prefix(task_id)
    folder_of(services, task_id).write_text("")
    return task_id


async def purged(services: Services) -> set[str]:
    async with services.database.begin() as connection:
        return set((await connection.execute(text("SELECT id FROM tasks WHERE purged_at IS NOT NULL"))).scalars())


async def test_a_folder_that_cannot_be_deleted_is_set_aside_and_does_not_stop_the_others(services: Services) -> None:
    stuck, others = await undeletable(services, 50), {await expired(services, hours) for hours in (2, 3)}
    clock = Clock()
    retention = Retention(services, clock=clock)
    with capture_logs() as logs:
        await retention.purge_expired()
        assert await purged(services) == others
        await retention.purge_expired()
        clock.now = MIN_RETRY_S + 1
        await retention.purge_expired()
        clock.now = 2 * MIN_RETRY_S + 2  # it is put off for twice as long now
        await retention.purge_expired()
    told = [line for line in logs if line["event"] == "files could not be deleted"]
    assert [(line["prefix"], line["retry_in"]) for line in told] == [(stuck, 300), (stuck, 600)]
    folder_of(services, stuck).unlink()
    clock.now = 4 * MIN_RETRY_S
    await retention.purge_expired()
    assert await purged(services) == others | {stuck}


async def test_more_of_them_than_one_round_takes_do_not_stop_the_others(services: Services) -> None:
    stuck = {await undeletable(services, 50 + number) for number in range(4)}
    other = await expired(services, 2)
    retention = Retention(services, clock=Clock())
    for _ in range(2):
        await retention.purge_expired()
    assert await purged(services) == {other}
    assert all(folder_of(services, prefix).exists() for prefix in stuck)


async def test_what_has_outlived_its_time_is_in_the_metrics_and_fails_a_check(services: Services) -> None:
    assert await checks.check_retention(services) == "what has expired is deleted"
    await undeletable(services, 2)
    await Retention(services).purge_expired()
    assert b"antiphon_tasks_overdue 1.0" in await services.metrics.render(services.database)
    with pytest.raises(StorageError, match="1 tasks expired more than an hour ago, and their files are still there"):
        await checks.check_retention(services)


async def test_the_orphan_sweep_asks_for_more_prefixes_than_postgresql_takes_parameters(services: Services) -> None:
    kept = await expired(services, 2)
    async with services.database.begin() as connection:
        assert await store.known_ids(connection, [kept, *(f"{number:032x}" for number in range(70_000))]) == {kept}


async def test_old_files_without_a_task_are_swept_and_those_of_a_task_or_of_today_stay(services: Services) -> None:
    kept = await expired(services, 2)
    for prefix in ("old", "new"):
        await services.storage.put_bytes(f"{prefix}/0/song.mp3", b"", "audio/mpeg")
    two_days_ago = time.time() - 2 * 86_400
    for path in (folder_of(services, prefix) for prefix in ("old", kept)):
        for each in (path, *path.rglob("*")):
            os.utime(each, (two_days_ago, two_days_ago))
    await Retention(services).sweep_orphans()
    assert set(await services.storage.list_prefixes()) == {kept, "new"}
