"""Endpoint of the server's state, for its operator."""

import asyncio

from fastapi import APIRouter

from antiphon import __version__, checks
from antiphon.api.auth import Admin
from antiphon.api.dependencies import Shared
from antiphon.callbacks.backlog import backlog
from antiphon.contract.envelope import Envelope
from antiphon.contract.kinds import Kind, State
from antiphon.contract.moments import milliseconds
from antiphon.contract.records import (
    CallbackQueue,
    Check,
    DatabaseState,
    Process,
    StorageState,
    System,
    TaskCount,
    WeightsState,
)
from antiphon.database.connection import describe
from antiphon.database.presence import figures, living
from antiphon.music import weights
from antiphon.services import Services
from antiphon.tasks import store
from antiphon.tasks.family import stored_bytes

router = APIRouter(tags=["system"])


@router.get("/system")
async def overview(shared: Shared, key: Admin) -> Envelope[System]:
    """Version, storage, database, weights, living processes, queues, and what 'antiphon doctor' says on this machine.
    Writes, reads and deletes a small object in the storage."""
    settings = shared.settings
    async with shared.database.begin() as connection:
        processes = await living(connection)
        left = await backlog(connection)
        maintenance = await store.in_maintenance(connection)
        version, size = await figures(connection)
        stored = await stored_bytes(connection)
    ready = await asyncio.to_thread(weights.status, settings.models_folder)
    url = settings.database_url
    return Envelope(
        data=System(
            version=__version__,
            publicUrl=settings.base_url,
            retentionDays=settings.retention_days,
            maintenance=maintenance,
            storage=StorageState(
                kind=shared.storage.kind,
                location=shared.storage.name.partition("?")[0],
                freeBytes=shared.storage.free(),
                artifactBytes=stored,
            ),
            database=DatabaseState(
                embedded=url is None,
                version=version,
                location=describe(url) if url else str(settings.data),
                bytes=size,
            ),
            weights=[
                WeightsState(name=item.name, ready=item.ready, licence=item.licence, detail=item.detail)
                for item in ready
            ],
            processes=[
                Process(
                    roles=one.roles,  # type: ignore[arg-type]
                    host=one.host,
                    version=one.version,
                    startTime=milliseconds(one.started_at) or 0,
                )
                for one in processes
            ],
            tasks=[
                TaskCount(kind=Kind(kind), state=State(state), number=number)
                for (kind, state), number in left.tasks.items()
            ],
            callbacks=CallbackQueue(pending=left.pending, sending=left.leased, oldestDue=round(left.age, 3)),
            checks=await _checks(shared),
        )
    )


async def _checks(services: Services) -> list[Check]:
    alone = {name: check(services.settings) for name, check in checks.ALONE.items()}
    running = alone | {name: check(services) for name, check in checks.OF_SERVICES.items()}
    verdicts = await asyncio.gather(*(checks.verdict(check) for check in running.values()))
    return [Check(name=name, good=good, verdict=words) for name, (words, good) in zip(running, verdicts, strict=True)]
