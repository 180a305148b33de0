"""Which packets must be decoded where only some pictures a second are wanted: of each GOP none behind the last wanted one.

Pictures lean on those before them, so nothing can be left out in the middle of a GOP; its end can.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from math import ceil
from typing import Protocol, TypeVar

_HELD = 96  # packets looked ahead for the next keyframe; a longer tail than this is decoded
_LATE = 1  # ticks: one that comes so shortly before a keyframe is content with that


class Packet(Protocol):
    """What is asked of a packet."""

    @property
    def is_keyframe(self) -> bool: ...


P = TypeVar("P", bound=Packet)


def needed(packets: Iterable[P], *, fps: Fraction, seconds: Callable[[P], Fraction]) -> Iterator[P | None]:
    """The packets to decode, in the order of decoding, for the first picture at or after each of `fps` ticks a second.

    `seconds` says when a packet is shown. A tick less than _LATE before a keyframe is served by the keyframe. None stands
    where packets were left out: the decoder is to be emptied there.
    """
    held: deque[P] = deque()
    reached = Fraction(-1)  # the latest moment among what was let through
    for packet in packets:
        if packet.is_keyframe:
            last = (ceil(seconds(packet) * fps) - _LATE - 1) / fps  # the last tick that is not content with this keyframe
            while held and reached < last:
                reached = max(reached, seconds(held[0]))
                yield held.popleft()  # the first that reaches `last` needs nothing behind it
            if held:
                yield None
            held.clear()
            reached = Fraction(-1)
        held.append(packet)
        if len(held) > _HELD:
            reached = max(reached, seconds(held[0]))
            yield held.popleft()
    yield from held
