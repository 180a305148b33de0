"""The demo's page: one HTML file that needs nothing else, for a browser of any width, light or dark."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from mediaforge.cli.charts import Agreement, Reading, RungRates, draw_agreements, draw_evidence, draw_rates, draw_spans
from mediaforge.cli.templating import template
from mediaforge.media import Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A moment of the copy and the moment of the title it was found at, as JPEG."""

    copy: bytes
    title: bytes
    copy_seconds: float
    title_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """The same picture in variant A, in variant B, and what differs, made `gain` times stronger; as JPEG."""

    a: bytes
    b: bytes
    apart: bytes
    gain: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """What happened, as the page tells it."""

    title: str
    name: str
    duration: float
    release_seconds: float
    reused_steps: int
    package: Path
    package_bytes: int
    scheme: str
    segments: int
    segment_seconds: float
    keys: Mapping[str, str]
    sounds: tuple[str, ...]
    subtitles: tuple[str, ...]
    checks: int
    rungs: tuple[RungRates, ...]
    difference: Difference | None
    recipients: Mapping[str, str]
    leaker: str
    stitch_seconds: float
    leak_words: str
    leak_bytes: int
    leak_duration: float
    reference: Span
    query: Span
    pairs: tuple[Pair, ...]
    readings: tuple[Reading, ...]
    agreements: tuple[Agreement, ...]
    accused: str | None
    probability: float
    allowed: float


def write_page(story: Story, to: Path) -> None:
    page = template("demo.html.j2").render(
        story=story,
        agreeing=sum(reading.agrees for reading in story.readings),
        rates=Markup(draw_rates(story.rungs)),  # noqa: S704 - our own markup; every word in it is escaped by svg.py
        spans=Markup(_spans(story)),  # noqa: S704
        evidence=Markup(draw_evidence(story.readings)),  # noqa: S704
        agreements=Markup(draw_agreements(story.agreements)),  # noqa: S704
    )
    to.write_text(page, encoding="utf-8")


def _spans(story: Story) -> str:
    return draw_spans(title=story.duration, copy=story.leak_duration, reference=story.reference, query=story.query)
