"""Flashes: opposing changes of luminance over a quarter of the screen, more than three in a second."""

import numpy as np

from mediaforge.transcode.qc.flashes import FlashCounter, flash_trains
from mediaforge.transcode.qc.seen import Stretch, Turn

_PIXELS = 400


def turns(levels: list[int], *, share: float = 1.0) -> tuple[Turn, ...]:
    """A share of the screen shows these levels, one a frame, the rest stays grey."""
    counter = FlashCounter()
    for level in levels:
        luma = np.full(_PIXELS, 100, np.uint8)
        luma[: round(share * _PIXELS)] = level
        counter.watch(luma)
    return tuple(counter.turns)


def test_black_and_white_turn_at_every_change() -> None:
    assert [(turn.frame, turn.way) for turn in turns([16, 16, 235, 235, 16, 235])] == [(2, 1), (4, -1), (5, 1)]


def test_less_than_a_quarter_of_the_screen_is_no_flash() -> None:
    assert turns([16, 235] * 5, share=0.2) == ()
    assert len(turns([16, 235] * 5, share=0.3)) == 9


def test_small_steps_and_bright_ones_are_no_flashes() -> None:
    assert turns([100, 112] * 5) == ()  # 14 cd/m2 apart
    assert turns([222, 235] * 5) == ()  # from 173 cd/m2 on
    assert len(turns([16, 100] * 5)) == 9  # 0 and 22 cd/m2


def test_what_moves_turns_both_ways_and_is_no_flash() -> None:
    counter = FlashCounter()
    for frame in range(20):
        counter.watch(np.where((np.arange(_PIXELS) + frame * 7) // 10 % 2, 16, 235).astype(np.uint8))
    assert counter.turns == []


def test_more_than_three_flashes_in_a_second_are_a_train() -> None:
    three = tuple(Turn(frame, 1 if number % 2 else -1) for number, frame in enumerate(range(50, 74, 4)))  # 6 turns: 3 flashes
    assert list(flash_trains(three, fps=25, limit=3)) == []
    many = tuple(Turn(frame, 1 if number % 2 else -1) for number, frame in enumerate(range(50, 100, 2)))
    assert list(flash_trains(many, fps=25, limit=3)) == [(Stretch(start=2.0, end=3.92), 6.5)]


def test_trains_apart_are_two() -> None:
    train = [Turn(frame, 1) for frame in range(0, 25, 2)] + [Turn(frame, 1) for frame in range(250, 275, 2)]
    assert [piece.start for piece, _ in flash_trains(tuple(train), fps=25, limit=3)] == [0.0, 10.0]
