"""What the demo does, act by act: release, hand out, leak, identify, trace."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from mediaforge.catalogue import Catalogue, Recipient
from mediaforge.cli.command import Call
from mediaforge.cli.follow import run_release
from mediaforge.cli.matches import match_data
from mediaforge.cli.opening import open_context
from mediaforge.cli.progress import by_fraction, telling
from mediaforge.cli.release import release_data
from mediaforge.cli.shipped import open_ladder, sample, sample_subtitles
from mediaforge.cli.trace import trace_data
from mediaforge.context import Context
from mediaforge.copies import Copy, personalise_file
from mediaforge.detect.tiers import Found
from mediaforge.errors import CheckError
from mediaforge.investigate import Trace, identify, trace
from mediaforge.package.record import Scheme, System
from mediaforge.plan import Request, write_request
from mediaforge.release import Release, read_release
from mediaforge.transcode.probe import probe
from mediaforge.transcode.reencode import reencode

TITLE, NAME = "atlas", "Atlas"
LADDER = "maroc-mobile"  # fixed rungs with quick presets: the story is told in half the time
RECIPIENTS: tuple[tuple[str, str], ...] = (
    ("qaat-annakhil", "قاعة النخيل"),
    ("cine-club-argane", "Ciné-club Argane"),
    ("ecole-amlal", "ⵜⵉⵏⵎⵍ ⴰⵎⵍⴰⵍ"),
    ("mediatheque-tafoukt", "Médiathèque Tafoukt"),
    ("screener-07", "Screener 07"),
    ("viewer-0817", "Viewer 0817"),
)
LEAKER = "cine-club-argane"
LEAK_HEIGHT, LEAK_CRF = 360, 30
ALLOWED = 1e-3  # a minute of film has few segments to read; a whole film is traced at 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """All that came of it. `states` says how each step of the release ended."""

    context: Context
    release: Release
    states: Mapping[str, str]
    release_seconds: float
    recipients: tuple[Recipient, ...]
    copy: Copy
    stitch_seconds: float
    leak: Path
    leak_duration: Fraction
    matches: tuple[Found, ...]
    found: Trace

    def data(self) -> dict[str, object]:
        """The pieces as their own commands print them."""
        return {
            "release": release_data(self.release, self.states, seconds=self.release_seconds),
            "copy": {"recipient": self.copy.recipient, "path": self.copy.path, "segments": self.copy.segments},
            "leak": self.leak,
            "matches": [match_data(match) for match in self.matches],
            "trace": trace_data(self.found, ALLOWED),
        }


def play(call: Call, folder: Path) -> Played:
    """Everything lies in `folder`. Raises what any act raises, and CheckError where the leak is not found again."""
    context = open_context(call.settings)
    call.printer.say(f"releasing {sample().name} ...")
    began = time.monotonic()
    states = run_release(call, context, TITLE, write_request(context, _request(folder)))
    released = time.monotonic()
    with Catalogue(context.catalogue_file) as catalogue:
        recipients = tuple(catalogue.add_recipient(*entry) for entry in RECIPIENTS)
    call.printer.say(f"stitching the copy of {LEAKER} and leaking it ...")
    stitching = time.monotonic()
    copy = personalise_file(context, TITLE, LEAKER, folder=folder / "copies")
    stitched = time.monotonic()
    leak = folder / "leak.mp4"
    reencode(copy.path, leak, height=LEAK_HEIGHT, crf=LEAK_CRF, tools=context.tools)
    call.printer.say("identifying and tracing the leak ...")
    matches = identify(context, leak)
    if not matches or matches[0].title != TITLE:
        raise CheckError("the leaked copy was not identified", expected=TITLE, found=matches[0].title if matches else "nothing")
    with telling(call.progress, about=leak.name) as tell:
        report = by_fraction(tell, "watermark")
        found = trace(context, leak, TITLE, false_accusation=ALLOWED, on_progress=report)
    return Played(
        context=context,
        release=read_release(context, TITLE),
        states=states,
        release_seconds=released - began,
        recipients=recipients,
        copy=copy,
        stitch_seconds=stitched - stitching,
        leak=leak,
        leak_duration=probe(leak, tools=context.tools).duration,
        matches=matches,
        found=found,
    )


def _request(folder: Path) -> Request:
    ladder, network, reference = open_ladder(LADDER)
    return Request(
        title=TITLE,
        name=NAME,
        master=sample(),
        ladder=ladder,
        network=network,
        reference=reference,
        scheme=Scheme.CBCS,
        systems=(System.WIDEVINE, System.PLAYREADY),
        watermark=True,
        audio=(),
        subtitles=sample_subtitles(),
        to=str(folder / "package"),
    )
