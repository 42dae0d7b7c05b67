"""The network's weights, where they have been fetched."""

import os
from pathlib import Path

import pytest

from antiphon.music import weights

CHECKOUT = Path(__file__).parents[4]


@pytest.fixture(scope="session")
def models() -> Path:
    """A folder with the Basic Pitch weights: ``ANTIPHON_MODELS``, or that of the default data folder."""
    folder = Path(os.environ.get("ANTIPHON_MODELS") or CHECKOUT / "antiphon-data" / "models")
    if not any(status.ready for status in weights.status(folder) if status.name == "basic_pitch"):
        pytest.skip("the weights are not there; 'antiphon models fetch' gets them")
    return folder
