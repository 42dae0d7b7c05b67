"""The network's weights, where they have been fetched."""

from pathlib import Path

import pytest

from antiphon.music import weights
from antiphon.settings import load_settings


@pytest.fixture(scope="session")
def models() -> Path:
    """A folder with the Basic Pitch weights, where the settings look for it."""
    folder = load_settings().models_folder
    if not any(status.ready for status in weights.status(folder) if status.name == "basic_pitch"):
        pytest.skip("the weights are not there; 'antiphon models fetch' gets them")
    return folder
