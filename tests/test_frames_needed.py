from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from itertools import count, islice

from mediaforge.frames_needed import needed


@dataclass(frozen=True, slots=True, kw_only=True)
class Packet:
    frame: int  # shown at frame / 25 seconds
    is_keyframe: bool = False


def let_through(packets: Iterable[Packet], fps: int = 4) -> list[int | None]:
    kept = needed(packets, fps=Fraction(fps), seconds=lambda packet: Fraction(packet.frame, 25))
    return [None if packet is None else packet.frame for packet in kept]


def gops(*sizes: int) -> list[Packet]:
    return [
        Packet(frame=sum(sizes[:gop]) + frame, is_keyframe=frame == 0)
        for gop in range(len(sizes))
        for frame in range(sizes[gop])
    ]


def test_what_lies_behind_the_last_wanted_picture_of_a_gop_is_left_out() -> None:
    # Ticks at 0, 0.25, 0.5 s are served at frames 0, 7, 13; the one at 0.75 s is content with the keyframe at 1 s.
    assert let_through(gops(25, 1)) == [*range(14), None, 25]


def test_every_tick_but_the_one_before_a_keyframe_is_served_at_once() -> None:
    kept = [frame for frame in let_through(gops(31, 44, 25, 9, 50, 30)) if frame is not None]
    keys = [0, 31, 75, 100, 109, 159]
    for tick in range(4 * 189 // 25):
        served = min(frame for frame in kept if frame >= tick * 25 / 4)
        assert served == -(-tick * 25 // 4) or (served in keys and served - tick * 25 / 4 <= 25 / 4)


def test_a_picture_that_later_ones_lean_on_comes_before_them_in_whatever_order_they_are_shown() -> None:
    # I P B B P B B: 15 is the first at or after the tick of 0.5 s, and its B pictures need not be decoded.
    shown = [0, 3, 1, 2, 6, 4, 5, 9, 7, 8, 12, 10, 11, 15, 13, 14, 18, 16, 17, 21, 19, 20]
    packets = [*(Packet(frame=frame, is_keyframe=frame == 0) for frame in shown), Packet(frame=25, is_keyframe=True)]
    assert let_through(packets) == [*shown[: shown.index(15) + 1], None, 25]


def test_the_last_gop_is_decoded_whole_for_nobody_knows_where_it_ends() -> None:
    assert let_through(gops(25)) == list(range(25))


def test_a_gop_without_end_holds_nothing_up() -> None:
    endless = (Packet(frame=frame, is_keyframe=frame == 0) for frame in count())
    kept = needed(endless, fps=Fraction(4), seconds=lambda packet: Fraction(packet.frame, 25))
    assert [packet.frame for packet in islice(kept, 1000) if packet is not None] == list(range(1000))
