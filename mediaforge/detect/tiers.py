"""What picture and sound say of one copy, laid together.

A dub is found by its picture alone, a radio copy by its sound alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from mediaforge.detect.match import Match, Verdict
from mediaforge.detect.sound_match import SoundMatch
from mediaforge.media import Span

_SAME_LINE_SECONDS = 1.0  # picture and sound of one copy may be a little out of step
_SAME_SPEED = 0.03

_ORDER = (Verdict.MATCH, Verdict.PROBABLE, Verdict.REVIEW, Verdict.NONE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A span of a copy that shows a span of a title, or sounds like it, or both. One of the two is there."""

    picture: Match | None
    sound: SoundMatch | None

    @property
    def told(self) -> Match | SoundMatch:
        """Whose times are given: the picture's where there is one, for the picture is what is traced and shown."""
        told = self.picture or self.sound
        assert told is not None
        return told

    @property
    def title(self) -> str:
        return self.told.title

    @property
    def verdict(self) -> Verdict:
        """The surer of the two. Two that agree are two witnesses: probable twice is a match."""
        said = [each.verdict for each in (self.picture, self.sound) if each is not None]
        if said.count(Verdict.PROBABLE) == 2:
            return Verdict.MATCH
        return min(said, key=_rank)

    @property
    def score(self) -> float:
        return self.told.score

    @property
    def query(self) -> Span:
        return self.told.query

    @property
    def reference(self) -> Span:
        return self.told.reference

    @property
    def speed(self) -> Fraction:
        return self.told.speed

    @property
    def by(self) -> tuple[str, ...]:
        """What speaks for it."""
        return tuple(name for name, said in (("picture", self.picture), ("sound", self.sound)) if said is not None)


def lay_together(pictures: Sequence[Match], sounds: Sequence[SoundMatch]) -> tuple[Found, ...]:
    """Each picture match with the sound match that tells the same, and the rest of both; the surest first."""
    left = list(sounds)
    found = []
    for picture in pictures:
        same = next((sound for sound in left if _tell_the_same(picture, sound)), None)
        if same is not None:
            left.remove(same)
        found.append(Found(picture=picture, sound=same))
    found += [Found(picture=None, sound=sound) for sound in left]
    return tuple(sorted(found, key=lambda each: (_rank(each.verdict), -len(each.by))))


def not_excluded(sounds: Sequence[SoundMatch], excluded: Mapping[str, tuple[Span, ...]]) -> tuple[SoundMatch, ...]:
    """Those that do not lie for the most part in spans of their title that never count."""
    return tuple(
        sound for sound in sounds if 2 * _shared(sound.reference, excluded.get(sound.title, ())) <= _length(sound.reference)
    )


def _shared(span: Span, others: tuple[Span, ...]) -> Fraction:
    return sum((max(Fraction(0), min(span.end, other.end) - max(span.start, other.start)) for other in others), Fraction(0))


def _length(span: Span) -> Fraction:
    return span.end - span.start


def _tell_the_same(picture: Match, sound: SoundMatch) -> bool:
    """Whether both put the same moments of the copy to the same moments of the title."""
    begin, end = max(picture.query.start, sound.query.start), min(picture.query.end, sound.query.end)
    if picture.title != sound.title or end <= begin or abs(picture.speed - sound.speed) > _SAME_SPEED:
        return False
    middle = (begin + end) / 2
    return abs(_at(picture, middle) - _at(sound, middle)) <= _SAME_LINE_SECONDS


def _at(match: Match | SoundMatch, moment: Fraction) -> Fraction:
    return match.reference.start + match.speed * (moment - match.query.start)


def _rank(verdict: Verdict) -> int:
    return _ORDER.index(verdict)
