"""Manifest of a separation network in ONNX files: what goes in, what comes out, and how the song is cut for it.

A TOML or JSON file beside the network::

    name = "my-net"
    sample_rate = 44100
    segment = 343980                # samples that it takes at a time
    overlap = 0.25                  # share of a segment that the next one covers too

    [[network]]
    file = "my-net.onnx"
    stems = ["drums", "bass", "other", "vocal"]   # the rows that it gives
    waveform_in = "mix"             # its input (1, 2, samples)
    waveform_out = "stems"          # its output (1, stems, 2, samples)

With a table ``stft`` (``window``), the spectrum is made outside: ``spectrum_in`` takes (1, 4, window / 2, frames), the
real and the imaginary part of each channel, and ``spectrum_out`` gives that for each stem. A network may have both; its
estimate is then their sum. Of several networks each gives its own stems.
"""

import json
import tomllib
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from antiphon.errors import EngineError

MAX_MANIFEST_BYTES = 1 << 20
_SPELLINGS = {"vocals": "vocal", "rest": "other"}


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Stft(_Strict):
    window: Annotated[int, Field(ge=64, le=65_536, multiple_of=8)]


class NetworkEntry(_Strict):
    """One ONNX file. ``stems`` name its rows; ``other`` and rows that are called ``-`` are left unused."""

    file: str
    stems: Annotated[tuple[str, ...], Field(min_length=1)]
    waveform_in: str | None = None
    waveform_out: str | None = None
    spectrum_in: str | None = None
    spectrum_out: str | None = None

    @model_validator(mode="after")
    def _has_both_ends(self) -> Self:
        if not (self.waveform_in or self.spectrum_in) or not (self.waveform_out or self.spectrum_out):
            raise ValueError(
                "expected an input (waveform_in or spectrum_in) and an output (waveform_out or spectrum_out)"
            )
        return self

    @property
    def rows(self) -> tuple[str, ...]:
        """The stems by the API's names."""
        return tuple(_SPELLINGS.get(name, name) for name in self.stems)


class Manifest(_Strict):
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
    sample_rate: Annotated[int, Field(ge=8_000, le=192_000)] = 44_100
    segment: Annotated[int, Field(ge=1_024, le=60 * 192_000)]
    overlap: Annotated[float, Field(ge=0, lt=1)] = 0.25
    transition: Annotated[float, Field(ge=1, le=16)] = 1.0
    stft: Stft | None = None
    network: Annotated[tuple[NetworkEntry, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.stft is None and any(one.spectrum_in or one.spectrum_out for one in self.network):
            raise ValueError("spectrum_in and spectrum_out need a table [stft]")
        rows = [row for one in self.network for row in one.rows if row not in ("other", "-")]
        if not rows or len(rows) != len(set(rows)):
            raise ValueError(f"each stem must come once, and one besides 'other'; got {', '.join(rows) or 'none'}")
        return self

    @property
    def stems(self) -> tuple[str, ...]:
        return tuple(row for one in self.network for row in one.rows if row not in ("other", "-"))


def read_manifest(path: Path) -> Manifest:
    """The manifest in a file.

    Raises:
        EngineError: The file is not there, or something in it is wrong; the message names the field.
    """
    try:
        text = path.read_bytes()[:MAX_MANIFEST_BYTES].decode()
        content: dict[str, Any] = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
        return Manifest.model_validate(content)
    except OSError as error:
        raise EngineError(f"the manifest {path} cannot be read: {error.strerror or error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(step) for step in first["loc"]) or "the whole"
        raise EngineError(f"the manifest {path}: {field}: {first['msg']}") from error
    except ValueError as error:  # among them UnicodeDecodeError, JSONDecodeError and TOMLDecodeError
        raise EngineError(f"the manifest {path} is neither TOML nor JSON: {error}") from error
