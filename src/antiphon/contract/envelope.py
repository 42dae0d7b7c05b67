"""The envelope around every answer of the API."""

from typing import Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field

Data = TypeVar("Data")


class Envelope(BaseModel, Generic[Data]):
    """``code`` 200 is success; on an error it is also the HTTP status and ``data`` is null."""

    model_config = ConfigDict(extra="allow")

    code: int = Field(default=200, examples=[200])
    msg: str = Field(default="success", examples=["success"])
    data: Data | None = None


class FileEnvelope(BaseModel, Generic[Data]):
    """The envelope of the file calls, which says ``success`` besides."""

    success: bool = True
    code: int = Field(default=200, examples=[200])
    msg: str = Field(default="success", examples=["success"])
    data: Data | None = None


class Failure(BaseModel):
    """The envelope of an error."""

    code: int = Field(examples=[400])
    msg: str = Field(examples=["callBackUrl: expected an http or https URL (got 'ftp://…'); correct it and send again"])
    data: None = None
