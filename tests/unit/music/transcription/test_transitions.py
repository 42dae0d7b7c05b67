"""What it costs to go from one pitch to another."""

from antiphon.music.transcription.transitions import pitch_moves


def test_a_far_pitch_costs_more_than_a_near_one_up_to_a_leap() -> None:
    moves = pitch_moves(20, change=1.0, switch=2.0, semitone=0.5, leap=3.0)
    assert moves[5, 5] == 0
    assert moves[5, 6] == -1.5
    assert moves[5, 19] == -4.0
    assert moves[5, 20] == moves[20, 5] == -2.0
    assert moves[20, 20] == 0
