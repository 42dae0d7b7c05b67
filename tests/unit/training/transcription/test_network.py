"""The note network, where there is torch (the training's environment)."""

import pytest

torch = pytest.importorskip("torch", reason="torch is in the training's environment alone")

from training.transcription.network import BETWEEN, Harmonic, NoteNetwork  # noqa: E402

from antiphon.music.transcription.levels import BINS, CHANNELS, PITCHES  # noqa: E402


def test_a_harmonic_layer_hears_harmonics_and_subharmonics_and_nothing_else() -> None:
    layer = Harmonic(1, PITCHES).eval()
    for weight in (layer.octaves.weight, *(pair.weight for pair in layer.pairs)):
        torch.nn.init.ones_(weight)
    at = 44
    sound = torch.zeros(1, 1, 3, 100)
    sound[0, 0, 1, at] = 1
    with torch.inference_mode():
        heard = layer(sound)
    places = {at + sign * shift for shift in (0, 12, 24, 36, *BETWEEN) for sign in (-1, 1)}
    assert heard.shape == (1, 1, 3, PITCHES)
    assert set(heard[0, 0, 1].nonzero().ravel().tolist()) == places
    assert not heard[0, 0, [0, 2]].any()


def test_two_frames_become_a_step_and_three_bins_a_pitch() -> None:
    network = NoteNetwork().eval()
    with torch.inference_mode():
        assert network(torch.rand(2, CHANNELS, 40, BINS)).shape == (2, 3, 20, PITCHES)
    assert sum(one.numel() for one in network.parameters()) < 140_000
