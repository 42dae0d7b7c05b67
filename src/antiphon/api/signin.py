"""Endpoints of the console's session: an API key is exchanged for a cookie that no script can read."""

import time
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from antiphon import keys, sessions
from antiphon.addresses import neighbourhood
from antiphon.api.auth import Cookie, key_of, read_session
from antiphon.api.dependencies import App, Shared
from antiphon.api.rendering import session_record
from antiphon.api.transport import cookie_name, is_secure
from antiphon.contract.envelope import Envelope
from antiphon.contract.records import SessionRecord
from antiphon.contract.requests import SignIn
from antiphon.errors import TooFrequent, Unauthorized
from antiphon.sessions import Session

router = APIRouter(prefix="/console", tags=["console"])


@router.post("/session")
async def sign_in(
    app: App, shared: Shared, request: Request, response: Response, body: SignIn
) -> Envelope[SessionRecord]:
    """Begin a session with an API key. It ends after seven days, when it is signed out, or when the key is revoked.
    Wrong keys are counted by address and right ones by key, so that nobody locks out who shares an address."""
    async with shared.database.begin() as connection:
        key = await keys.find_api_key(connection, body.key.strip())
    if key is None:
        address = neighbourhood(request.client.host) if request.client else ""
        if (wait := app.wrong_keys.take(address)) is not None:
            raise TooFrequent(
                f"too many sign-ins with a wrong key from this address; try again in {wait:.0f} s", retry_after=wait
            )
        raise Unauthorized("key: this API key is unknown or revoked; 'antiphon keys create NAME' makes a new one")
    if (wait := app.sign_ins.take(str(key.id))) is not None:
        raise TooFrequent(f"too many sign-ins with this key; try again in {wait:.0f} s", retry_after=wait)
    token, session = sessions.issue(shared.secret, key_id=key.id, now=time.time())
    response.set_cookie(
        cookie_name(shared.settings, request),
        token,
        max_age=sessions.LIFETIME_S,
        path="/",
        secure=is_secure(shared.settings, request),
        httponly=True,
        samesite="strict",
    )
    return _answer(response, session_record(key, session))


async def current(shared: Shared, request: Request, token: Cookie) -> Session:
    """The session of this call. Raises ``Unauthorized``; ``Forbidden`` for a missing CSRF token."""
    if token is None:
        raise Unauthorized("nobody is signed in; sign in with an API key")
    return read_session(request, shared, token)


Current = Annotated[Session, Depends(current)]


@router.get("/session")
async def session(shared: Shared, response: Response, session: Current) -> Envelope[SessionRecord]:
    """Who is signed in, and the token to send as ``X-CSRF-Token`` with every call that changes something."""
    return _answer(response, session_record(await key_of(shared, session), session))


@router.delete("/session")
async def sign_out(shared: Shared, request: Request, response: Response, session: Current) -> Envelope[None]:
    """End the session, in this browser and wherever else its cookie may have come."""
    async with shared.database.begin() as connection:
        await sessions.end(connection, session)
    response.delete_cookie(
        cookie_name(shared.settings, request),
        path="/",
        secure=is_secure(shared.settings, request),
        httponly=True,
        samesite="strict",
    )
    return Envelope()


def _answer(response: Response, record: SessionRecord) -> Envelope[SessionRecord]:
    response.headers["Cache-Control"] = "no-store"
    return Envelope(data=record)
