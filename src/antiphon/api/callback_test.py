"""Endpoints that test a receiver: post samples of callbacks, and examine the signatures of one that came."""

from http import HTTPStatus

from fastapi import APIRouter

from antiphon.api.auth import Counted, WriterKey
from antiphon.api.callbacks import phases
from antiphon.api.dependencies import App, Shared
from antiphon.callbacks.exchange import PostOutcome
from antiphon.callbacks.trial import Trial, send_samples
from antiphon.contract.envelope import Envelope
from antiphon.contract.examination import examine, parse_headers
from antiphon.contract.kinds import Kind
from antiphon.contract.records import CallbackTrial, CallbackTrials, CallbackVerdict, PartCheck, SchemeCheck
from antiphon.contract.requests import CallbackCheck, CallbackTest
from antiphon.contract.samples import KINDS, samples
from antiphon.errors import TooFrequent
from antiphon.outbound.failures import Reason

router = APIRouter(prefix="/callbacks", tags=["callbacks"])
MAX_TESTS = 4  # of one process at a time: each holds up to seven connections until its deadline


@router.post("/test")
async def test(app: App, shared: Shared, key: WriterKey, body: CallbackTest) -> Envelope[CallbackTrials]:
    """Post a sample of each kind, of a success and of a failure, exactly once each; signed as real ones are, under the
    same address guard and deadline. The answer comes when all have ended. What the receiver said in words is for admins
    alone: a tenant must not read other people's servers through this one."""
    await shared.check_address(body.callBackUrl, field="callBackUrl")
    running = app.callback_tests
    if running.locked():
        patience = shared.settings.callback_timeout
        raise TooFrequent(f"{MAX_TESTS} tests are running, which is the most; try again soon", retry_after=patience)
    async with running:
        trials = await send_samples(
            body.callBackUrl,
            samples([Kind(kind) for kind in body.kinds or KINDS]),
            await shared.webhook_keys(),
            guard=shared.guard,
            resolver=shared.resolver,
            timestamp=int((await shared.database.now()).timestamp()),
            deadline=shared.settings.callback_timeout,
        )
    return Envelope(data=CallbackTrials(trials=[_shown(trial, in_full=key.admin) for trial in trials]))


@router.post("/check")
async def check(shared: Shared, key: Counted, body: CallbackCheck) -> Envelope[CallbackVerdict]:
    """Examine the signatures of a callback that came: which part is right, which is not, and what to do. Nothing is
    sent or kept."""
    keys = [body.key.strip()] if body.key else await shared.webhook_keys()
    now = (await shared.database.now()).timestamp()
    found = examine(parse_headers(body.headers), body.body, keys, now=now)
    there = [one.verdict for one in found if one.verdict != "absent"]
    schemes = [
        SchemeCheck(scheme=one.scheme, verdict=one.verdict, parts=[PartCheck(**vars(part)) for part in one.parts])
        for one in found
    ]
    return Envelope(data=CallbackVerdict(valid=bool(there) and set(there) == {"valid"}, schemes=schemes))


def _shown(trial: Trial, *, in_full: bool) -> CallbackTrial:
    sample, outcome = trial.sample, trial.outcome
    return CallbackTrial(
        kind=sample.kind,
        outcome="failure" if sample.failed else "success",
        bytes=len(sample.body),
        taskId=sample.task_id,
        acknowledged=outcome.error is None,
        address=outcome.address,
        status=outcome.status,
        milliseconds=round(outcome.milliseconds, 1),
        phases=phases(outcome.milliseconds, **vars(outcome.phases)),
        error=outcome.error if in_full else _without_its_words(outcome),
        answer=outcome.answer if in_full else None,
        headers=trial.headers,
    )


def _without_its_words(outcome: PostOutcome) -> str | None:
    """The error without what the receiver has put into it: its reason phrase, the target of a redirect."""
    if outcome.reason is Reason.INVALID:
        return "the answer is not valid HTTP"
    if outcome.reason is not Reason.STATUS or outcome.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return outcome.error
    redirect = ", a redirect: give the final address as callBackUrl" if 300 <= (outcome.status or 0) < 400 else ""
    return f"answered {outcome.status}{redirect}"
