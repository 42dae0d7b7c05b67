"""Event names of the stream of a key's callbacks, which ``antiphon listen`` reads."""

from pydantic import BaseModel, Field

CALLBACK = "callback"
"""The name of an event whose data is a ``CallbackEvent``."""
READY = "ready"
"""The name of the first event: nothing but the id from which the stream can be resumed."""


class CallbackEvent(BaseModel):
    """A callback, ready to be posted: these headers and this body, in UTF-8, are what a receiver would have got."""

    taskId: str
    headers: dict[str, str] = Field(description="both signatures among them, made for this moment")
    body: str
