"""Engine that runs the ONNX networks of a manifest, segment by segment."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import numpy as np

from antiphon.errors import EngineError
from antiphon.music.onnxsession import open_session
from antiphon.music.separation.manifest import Manifest, NetworkEntry, read_manifest
from antiphon.music.separation.segments import Estimates, Segmenting, separated
from antiphon.music.separation.spectrum import SegmentSpectrum
from antiphon.music.signal.framing import Samples


class OnnxSeparator:
    """The engine that a manifest describes.

    Args:
        manifest: What its networks take and give.
        folder: Where their files are.
        threads: At most so many are used.

    Raises:
        EngineError: A network cannot be loaded, or is not as the manifest says.
    """

    def __init__(self, manifest: Manifest, folder: Path, threads: int) -> None:
        self.stems = manifest.stems
        self.sample_rate = manifest.sample_rate
        self._plan = Segmenting(manifest.segment, manifest.overlap, manifest.transition)
        spectrum = SegmentSpectrum(manifest.stft.window, manifest.segment) if manifest.stft else None
        self._networks = [_Loaded(one, folder, spectrum, threads) for one in manifest.network]

    @classmethod
    def of_file(cls, path: Path, threads: int) -> Self:
        """The engine of the manifest at ``path``; the networks' files are named from its folder."""
        return cls(read_manifest(path), path.parent, threads)

    def separate(self, blocks: Iterator[Samples], wanted: tuple[str, ...]) -> Iterator[tuple[Samples, Samples]]:
        used = [one for one in self._networks if set(wanted) & set(one.rows)]
        places = {name: place for place, name in enumerate(row for one in used for row in one.rows)}
        order = [places[name] for name in wanted]

        def estimate(segment: Samples) -> Estimates:
            return np.concatenate([one.estimate(segment) for one in used])[order]

        for mix, estimates in separated(blocks, self._plan, estimate):
            yield mix, np.ascontiguousarray(estimates.transpose(0, 2, 1))


class _Loaded:
    """One network, loaded."""

    def __init__(self, network: NetworkEntry, folder: Path, spectrum: SegmentSpectrum | None, threads: int) -> None:
        self.rows = network.rows
        self._network = network
        self._spectrum = spectrum
        self._path = folder / network.file
        try:
            # With arena or pattern, segments of ever the same shape keep more memory than they need.
            self._session = open_session(
                self._path, threads=threads, memory_arena=False, memory_pattern=False, warnings=False
            )
        except Exception as error:
            raise EngineError(f"the network {self._path} cannot be loaded: {error}") from error
        self._check_names()

    def _check_names(self) -> None:
        has = {value.name for value in (*self._session.get_inputs(), *self._session.get_outputs())}
        for field in ("waveform_in", "waveform_out", "spectrum_in", "spectrum_out"):
            name = getattr(self._network, field)
            if name is not None and name not in has:
                raise EngineError(
                    f"the network {self._path} has no {name!r}, which its manifest names as {field}; "
                    f"it has: {', '.join(sorted(has))}"
                )

    def estimate(self, segment: Samples) -> Estimates:
        """(stems, channels, samples) of a segment (channels, samples)."""
        network, inputs = self._network, {}
        if network.waveform_in:
            inputs[network.waveform_in] = segment[np.newaxis]
        if network.spectrum_in and self._spectrum:
            inputs[network.spectrum_in] = self._spectrum.forward(segment)[np.newaxis]
        wanted = [name for name in (network.waveform_out, network.spectrum_out) if name]
        try:
            given = dict(zip(wanted, self._session.run(wanted, inputs), strict=True))
            total = np.zeros((len(self.rows), *segment.shape), np.float32)
            if network.waveform_out:
                total += given[network.waveform_out].reshape(total.shape)
            if network.spectrum_out and self._spectrum:
                total += self._spectrum.inverse(self._rows_of(given[network.spectrum_out]))
        except Exception as error:
            raise EngineError(f"the network {self._path} does not work as its manifest says: {error}") from error
        return total

    def _rows_of(self, spectra: Any) -> Estimates:
        assert self._spectrum is not None
        shape = (len(self.rows), -1, self._spectrum.bins, self._spectrum.frames)
        rows: Estimates = np.asarray(spectra, np.float32).reshape(shape)
        return rows
