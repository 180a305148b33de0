"""When something found in a stream is told: once when a title begins, again when it gets surer, and when it is over."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from mediaforge.detect.match import Verdict
from mediaforge.detect.tiers import Found

QUIET_SECONDS = 45.0  # a title that was not found for so long is over: an advertisement does not end it
_CONFIRMED = 2  # looks in a row that must find what is less than a match: there are thousands of looks a day
_SURENESS = (Verdict.REVIEW, Verdict.PROBABLE, Verdict.MATCH)


class Kind(StrEnum):
    ALARM = "alarm"  # a title was recognised
    REVIEW = "review"  # the place of a title, but not surely the same moments
    SURER = "surer"  # a running one is a match now
    ENDED = "ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """A title in a stream. `begin` and `last`: seconds of the stream between which it was seen."""

    title: str
    verdict: Verdict
    begin: float
    last: float
    found: Found  # as it was found last
    looks: int
    is_told: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    kind: Kind
    sighting: Sighting


class Alarms:
    """The titles that are running."""

    def __init__(self) -> None:
        self._running: dict[str, Sighting] = {}

    def update(self, found: Sequence[Found], *, window_begin: float, now: float) -> tuple[Event, ...]:
        """What one look at the window found, its times counted from `window_begin`; `now` is the newest second looked at."""
        events = []
        best: dict[str, Found] = {}
        for each in found:  # the surest first
            best.setdefault(each.title, each)
        for title, each in best.items():
            event = self._seen(title, each, window_begin)
            if event is not None:
                events.append(event)
        for title, sighting in list(self._running.items()):
            if title not in best:
                events += self._missed(title, sighting, now)
        return tuple(events)

    def close(self) -> tuple[Event, ...]:
        """The stream is over."""
        told = [each for each in self._running.values() if each.is_told]
        self._running.clear()
        return tuple(Event(kind=Kind.ENDED, sighting=each) for each in told)

    def _seen(self, title: str, found: Found, window_begin: float) -> Event | None:
        begin, end = (window_begin + float(moment) for moment in (found.query.start, found.query.end))
        former = self._running.get(title)
        if former is None:
            former = Sighting(title=title, verdict=found.verdict, begin=begin, last=end, found=found, looks=0)
        is_surer = _rank(found.verdict) > _rank(former.verdict)
        sighting = replace(
            former,
            verdict=found.verdict if is_surer else former.verdict,
            begin=min(begin, former.begin),
            last=max(end, former.last),
            found=found,
            looks=former.looks + 1,
        )
        kind = None
        if not former.is_told and (sighting.looks >= _CONFIRMED or sighting.verdict is Verdict.MATCH):
            kind = Kind.REVIEW if sighting.verdict is Verdict.REVIEW else Kind.ALARM
        elif former.is_told and is_surer:
            kind = Kind.ALARM if former.verdict is Verdict.REVIEW else Kind.SURER
        self._running[title] = replace(sighting, is_told=former.is_told or kind is not None)
        return None if kind is None else Event(kind=kind, sighting=self._running[title])

    def _missed(self, title: str, sighting: Sighting, now: float) -> tuple[Event, ...]:
        if not sighting.is_told:  # less than a match must be found in two looks in a row
            self._running[title] = replace(sighting, looks=0)
        if now - sighting.last <= QUIET_SECONDS:
            return ()
        del self._running[title]
        return (Event(kind=Kind.ENDED, sighting=sighting),) if sighting.is_told else ()


def _rank(verdict: Verdict) -> int:
    return _SURENESS.index(verdict) if verdict in _SURENESS else -1
