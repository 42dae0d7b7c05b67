"""The ``demucs`` package's own network, small and with random weights, and what it makes of a sound.

``python -m tests.unit.music.separation.htdemucs_reference`` writes ``goldens/htdemucs.npz`` anew. It needs the package
and PyTorch, which the project's environment does not have.
"""

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

GOLDEN = Path(__file__).parent / "goldens" / "htdemucs.npz"
SOURCES = ("drums", "bass", "other", "vocals")
RATE = 8_000
SMALL: dict[str, Any] = {
    "sources": list(SOURCES),
    "channels": 4,
    "nfft": 512,
    "depth": 2,
    "samplerate": RATE,
    "segment": Fraction(1, 4),
    "t_layers": 3,
    "t_heads": 2,
    "t_hidden_scale": 2.0,
    "dconv_comp": 2,
    "dconv_mode": 3,
    "bottom_channels": 16,
}
"""The features of ``htdemucs`` and ``htdemucs_ft``."""
DEEPER: dict[str, Any] = {
    **SMALL,
    "sources": [*SOURCES, "guitar", "piano"],
    "channels": 8,
    "nfft": 1024,
    "depth": 3,
    "segment": Fraction(39, 50),
    "t_layers": 5,
    "dconv_mode": 1,
    "bottom_channels": 0,
}
"""Those of ``htdemucs_6s``: the transformer has the channels of the encoder."""
SECONDS = 0.6
EVERY = 5
"""The golden has each so-manieth sample."""

Samples = NDArray[np.float32]


def sound(seconds: float) -> Samples:
    """Noise (2, n)."""
    rng = np.random.default_rng(1)
    return np.asarray(0.2 * rng.standard_normal((2, round(seconds * RATE))), np.float32)


def network(arguments: dict[str, Any]) -> Any:
    """The package's network, its weights rounded to half precision, as those that are published are."""
    import torch
    from demucs.htdemucs import HTDemucs

    torch.manual_seed(0)
    made = HTDemucs(**arguments).eval()
    with torch.no_grad():
        for weight in made.parameters():
            weight.add_(0.05 * torch.randn_like(weight))
            weight.copy_(weight.half().float())
    return made


def weights_of(made: Any) -> dict[str, NDArray[np.float16]]:
    return {name: value.numpy().astype(np.float16) for name, value in made.state_dict().items()}


def applied(made: Any, mix: Samples, *, split: bool) -> Samples:
    """What the package's ``apply_model`` makes of ``mix`` (2, n): (sources, 2, n)."""
    import torch
    from demucs.apply import apply_model

    estimates = apply_model(made, torch.tensor(mix)[None], shifts=0, split=split, overlap=0.25, transition_power=1.0)
    return np.asarray(estimates[0].detach().numpy(), np.float32)


def save(
    path: Path, weights: dict[str, NDArray[np.float16]], arguments: dict[str, Any], kind: str = "HTDemucs"
) -> Path:
    """A safetensors file, as the package's author publishes his networks."""
    length: Fraction = arguments["segment"]
    told = {
        **arguments,
        "segment": {"_type": "fraction", "numerator": length.numerator, "denominator": length.denominator},
    }
    metadata = {"klass": f"demucs.htdemucs.{kind}", "args": "[]", "kwargs": json.dumps(told)}
    header: dict[str, Any] = {"__metadata__": metadata}
    at = 0
    for name, value in weights.items():
        header[name] = {"dtype": "F16", "shape": list(value.shape), "data_offsets": [at, at + value.nbytes]}
        at += value.nbytes
    head = json.dumps(header).encode()
    path.write_bytes(len(head).to_bytes(8, "little") + head + b"".join(value.tobytes() for value in weights.values()))
    return path


def main() -> None:
    made = network(SMALL)
    expected = applied(made, sound(SECONDS), split=True)[:, :, ::EVERY]
    arrays: dict[str, Any] = {f"weight:{name}": value for name, value in weights_of(made).items()}
    np.savez_compressed(GOLDEN, expected=expected, **arrays)
    print(GOLDEN, GOLDEN.stat().st_size)


if __name__ == "__main__":
    main()
