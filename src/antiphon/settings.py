"""Settings: one frozen object, read once from ``ANTIPHON_*`` variables, by no other module."""

import os
import re
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, NonNegativeFloat, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from antiphon.errors import SettingsError

PREFIX = "ANTIPHON_"
MEGABYTE = 1_000_000
MIN_ENGINE_MEMORY = 1000 * MEGABYTE
# No settings: the client's key, and what 'antiphon receive --exec' gives to its command, which may be one of ours.
EVENT_VARIABLES = {PREFIX + name for name in ("KIND", "TASK_ID", "STATE", "FOLDER", "ATTEMPT", "EVENT_ID")}
WILDCARD_HOSTS = ("0.0.0.0", "::")  # noqa: S104 - to recognise them


class Settings(BaseSettings):
    """What the operator can choose. Times are seconds and sizes bytes unless a name says otherwise."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid", allow_inf_nan=False)

    # where things live
    data: Path = Field(
        default_factory=lambda: Path.home() / ".local" / "share" / "antiphon",
        description="folder of the embedded database, the secret, scratch files and local artifacts",
        json_schema_extra={"shown": "~/.local/share/antiphon"},
    )
    models: Path | None = Field(
        default=None,
        description="folder of the unpacked weights",
        json_schema_extra={"shown": "<data>/models"},
    )
    models_url: str | None = Field(
        default=None,
        description="where the weights of `htdemucs` and its kin are fetched: a mirror of the place where their author "
        "publishes them",
        json_schema_extra={"shown": "https://huggingface.co"},
    )
    database_url: str | None = Field(
        default=None,
        repr=False,
        description="`postgresql://user:password@host/name`, version 14 or newer",
        json_schema_extra={"shown": "an embedded PostgreSQL"},
    )
    storage_url: str | None = Field(
        default=None,
        description="a folder, `s3://bucket/prefix`, `gs://…` or `az://…`; "
        "credentials come from the usual variables of the cloud (`AWS_…`)",
        json_schema_extra={"shown": "<data>/artifacts"},
    )
    secret: str | None = Field(
        default=None,
        repr=False,
        description="signs links and seals webhook keys; the same on all machines",
        json_schema_extra={"shown": "<data>/secret, made once"},
    )

    # HTTP in
    host: str = Field(default="127.0.0.1", description="address on which the API listens")
    port: int = Field(default=8080, ge=0, le=65535, description="port on which the API listens; 0 for a free one")
    public_url: str | None = Field(
        default=None,
        description="how clients reach the API; links begin with it, so set it when ANTIPHON_HOST is `0.0.0.0`",
        json_schema_extra={"shown": "http://host:port"},
    )
    trusted_proxies: Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode] = Field(
        default=(ip_network("127.0.0.0/8"), ip_network("::1/128")),
        description="networks of your own proxies: from them alone X-Forwarded-For and X-Forwarded-Proto count, "
        "and the limit of connections per address does not",
    )
    tls_cert: Path | None = Field(
        default=None,
        description="certificate with its chain (PEM): the API speaks TLS itself; for those without a proxy",
    )
    tls_key: Path | None = Field(default=None, description="the certificate's private key (PEM, not encrypted)")
    metrics_port: int | None = Field(
        default=None,
        ge=1,
        le=65535,
        description="a port for `/metrics`, without a key, of a worker or sender that runs alone; "
        "the API always serves it",
    )
    max_upload: int = Field(default=500 * MEGABYTE, gt=0, description="the largest file")
    max_duration: float = Field(default=3600.0, gt=0, description="the longest song")
    rate_limit: int = Field(
        default=20, gt=0, description="POST calls per key in `ANTIPHON_RATE_PERIOD` (of cancels, ten times as many)"
    )
    rate_period: float = Field(default=10.0, gt=0, description="the period of `ANTIPHON_RATE_LIMIT`")
    max_queued: int = Field(default=100, gt=0, description="tasks queued or running per key")
    retention_days: float = Field(default=14.0, gt=0, description="how many days results live")

    # for clients of the hosted API
    profile: Literal["default", "hosted"] = Field(
        default="default",
        description="`hosted`: MP3 stems, `CALLBACK_EXCEPTION` for a callback that was given up, errors as HTTP 200 "
        "with the code in the envelope",
    )
    strict: bool = Field(default=False, description="`1`: unknown fields of requests are refused instead of ignored")
    cors_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="origins whose pages may call the API with a key, such as `https://app.example.com`, or `*`",
    )

    # tasks
    concurrency: int = Field(
        default=1, gt=0, description="tasks that one worker runs at a time; each uses `ANTIPHON_ENGINE_THREADS`"
    )
    separation: str = Field(
        default="builtin",
        description="what separates songs where a request does not say: `builtin`, `htdemucs`, `htdemucs_ft`, "
        "`htdemucs_6s`, an engine that another package brings, or the path of a network's manifest (`.toml`, `.json`)",
    )
    engine_threads: int = Field(
        default_factory=lambda: os.cpu_count() or 1,
        gt=0,
        description="threads of an engine",
        json_schema_extra={"shown": "number of cores"},
    )
    ear: Literal["own", "basic_pitch"] = Field(
        default="own", description="the network that hears pitched notes: `own` or `basic_pitch`"
    )
    midi_tuning: bool = Field(
        default=False, description="`1`: MIDI files tell players how the song is tuned (master fine tuning)"
    )
    engine_timeout: float = Field(default=3600.0, gt=0, description="the longest that an engine may run")
    engine_memory: int = Field(
        default=4000 * MEGABYTE,
        ge=MIN_ENGINE_MEMORY,
        description="address space that separation, MIDI or a video may take; with two threads they need up to 1.5 GB",
    )
    heartbeat: float = Field(default=5.0, gt=0, description="how often a worker says that it is alive")
    stalled_after: float = Field(
        default=20.0, gt=0, description="a worker that has been silent for so long is dead; its tasks run again"
    )
    max_runs: int = Field(default=3, gt=0, description="workers that one task may take down before it has failed")
    outage_patience: float = Field(
        default=300.0,
        ge=0,
        description="how long a run waits for a database or storage that is away, before its work is thrown away",
    )
    stem_format: Literal["flac", "mp3", "wav"] | None = Field(
        default=None,
        description="`flac`, `mp3` or `wav`",
        json_schema_extra={"shown": "flac; mp3 with ANTIPHON_PROFILE=hosted"},
    )

    # callbacks
    callback_allow: Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode] = Field(
        default=(),
        description="private networks that callbacks and `upload-url` may reach, such as `127.0.0.0/8,10.1.0.0/16`",
    )
    callback_timeout: float = Field(
        default=15.0, gt=0, description="one deadline over look-up, connection, TLS and answer"
    )
    callback_retry_delays: Annotated[tuple[NonNegativeFloat, ...], NoDecode] = Field(
        default=(10.0, 60.0, 300.0), description="before each retry, ±20 %"
    )
    callback_concurrency: int = Field(default=512, gt=0, description="deliveries that one sender has in flight, in all")
    callback_per_host: int = Field(default=8, gt=0, description="deliveries that one sender has in flight to one host")

    log_format: Literal["console", "json"] = Field(default="console", description="`console` or `json`")

    @field_validator("callback_allow", "trusted_proxies", mode="before")
    @classmethod
    def _networks(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return tuple(ip_network(part.strip()) for part in value.split(",") if part.strip())

    @field_validator("cors_origins", mode="before")
    @classmethod
    def _origins(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        origins = tuple(part.strip().rstrip("/") for part in value.split(",") if part.strip())
        for origin in origins:
            if origin != "*" and not re.fullmatch(r"https?://[^/\s?#@]+", origin):
                raise ValueError(f"expected origins such as https://app.example.com, comma-separated (got {origin!r})")
        return origins

    @field_validator("callback_retry_delays", mode="before")
    @classmethod
    def _delays(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return tuple(float(part) for part in value.split(",") if part.strip())

    @property
    def models_folder(self) -> Path:
        return self.models or self.data / "models"

    @property
    def stem_codec(self) -> Literal["flac", "mp3", "wav"]:
        return self.stem_format or ("mp3" if self.profile == "hosted" else "flac")

    @property
    def storage_location(self) -> str | Path:
        return self.storage_url or self.data / "artifacts"

    @property
    def links_lead_nowhere(self) -> bool:
        """Links would begin with an address that is one to listen on only."""
        return not self.public_url and self.host in WILDCARD_HOSTS

    @property
    def base_url(self) -> str:
        scheme = "https" if self.tls_cert else "http"
        return (self.public_url or f"{scheme}://{self.host}:{self.port}").rstrip("/")


def load_settings(**overrides: object) -> Settings:
    """Settings by the environment; ``overrides`` that are not None go before it.

    Raises:
        SettingsError: A variable is unknown or bad; the message names it.
    """
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    unknown = sorted(name for name in os.environ if name.startswith(PREFIX) and name not in known | EVENT_VARIABLES)
    if unknown:
        raise SettingsError(f"unknown setting {unknown[0]}; the settings are: {', '.join(sorted(known))}")
    try:
        return Settings(**{name: value for name, value in overrides.items() if value is not None})  # type: ignore[arg-type]
    except ValidationError as error:
        first = error.errors()[0]
        name = PREFIX + str(first["loc"][0]).upper()
        raise SettingsError(f"{name}: {first['msg']} (got {first['input']!r})") from None


def shown_default(name: str) -> str:
    """The default of a setting as documents show it: ``none``, ``10,60,300``, ``<data>/models``."""
    field = Settings.model_fields[name]
    if isinstance(field.json_schema_extra, dict):
        return str(field.json_schema_extra["shown"])
    parts = field.default if isinstance(field.default, tuple) else (field.default,)
    return (
        ",".join(f"{part:g}" if isinstance(part, float) else str(part) for part in parts if part is not None) or "none"
    )


def settings_table() -> str:
    """The table of all settings in docs/02-settings.md; ``python -m antiphon.settings`` prints it."""
    rows = [
        f"| `{PREFIX}{name.upper()}` | {shown_default(name)} | {field.description} |"
        for name, field in Settings.model_fields.items()
    ]
    return "\n".join(["| setting | default | meaning |", "| --- | --- | --- |", *rows])


if __name__ == "__main__":
    print(settings_table())
