"""Test of a receiver: a sample of each kind, one attempt each, over the same path as callbacks."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from aiohttp.abc import AbstractResolver

from antiphon.callbacks.exchange import PostOutcome, open_post_sessions, post
from antiphon.contract import signatures
from antiphon.contract.samples import Sample
from antiphon.outbound.guard import Guard


@dataclass(frozen=True)
class Trial:
    """A posted sample: its signature headers and its outcome."""

    sample: Sample
    headers: dict[str, str]
    outcome: PostOutcome


async def send_samples(
    url: str,
    samples: Sequence[Sample],
    keys: Sequence[str],
    *,
    guard: Guard,
    resolver: AbstractResolver,
    timestamp: int,
    deadline: float,
) -> list[Trial]:
    """Post all samples at once, each exactly once; nothing is retried or written down.

    Args:
        keys: Webhook keys that sign, the newest first; none: nothing is signed.
        timestamp: Unix seconds that are signed.
        deadline: Seconds for each attempt as a whole.

    Returns:
        A trial for each sample, in their order. What went wrong is in its outcome; nothing is raised.
    """
    async with open_post_sessions(guard, resolver) as sessions:

        async def attempt(sample: Sample) -> Trial:
            headers = signatures.headers(
                keys, task_id=sample.task_id, webhook_id=sample.webhook_id, body=sample.body, timestamp=timestamp
            )
            started = datetime.fromtimestamp(timestamp, UTC)
            outcome = await post(sessions, guard, url, sample.body, headers, started=started, deadline=deadline)
            return Trial(sample, headers, outcome)

        return list(await asyncio.gather(*(attempt(sample) for sample in samples)))
