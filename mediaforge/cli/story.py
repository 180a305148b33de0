"""What the demo's page tells of what was played: reads a few frames and sizes, decides nothing."""

from pathlib import Path

from mediaforge.cli.acts import ALLOWED, LEAK_CRF, LEAK_HEIGHT, LEAKER, Played
from mediaforge.cli.charts import Agreement, Reading, RungRates
from mediaforge.cli.output import rate
from mediaforge.cli.page import Difference, Pair, Story
from mediaforge.cli.pictures import frame_pair, spread, variant_difference
from mediaforge.cli.shipped import sample
from mediaforge.copies import sequence
from mediaforge.media import Variant
from mediaforge.package.layout import video_folder
from mediaforge.package.record import load_record
from mediaforge.plan import Plan, load_plan
from mediaforge.recipes import result_of
from mediaforge.transcode.encoder import rendition_name

_GAIN = 8  # how much stronger the page shows the difference of A and B
_PAIRS = 2
_BITS = 8


def tell_story(played: Played) -> Story:
    """Raises MediaError where a frame cannot be read."""
    release, match = played.release, played.matches[0]
    plan = load_plan(played.context, release.release_id)
    package = Path(release.package)
    accusation = next(iter(played.found.verdict.accusations), None)
    accused = accusation.recipient if accusation else None
    return Story(
        title=release.title,
        name=release.name,
        duration=float(plan.grid.duration),
        release_seconds=played.release_seconds,
        reused_steps=sum(state == "reused" for state in played.states.values()),
        package=package,
        package_bytes=_bytes(package, "*"),
        scheme=load_record(package).scheme.value,
        segments=plan.grid.segments,
        segment_seconds=float(plan.grid.segment_seconds),
        keys={key.label: key.kid for key in release.keys},
        sounds=tuple(f"{rung.codec} {rate(rung.bitrate_bps)}" for rung in plan.request.ladder.audio if plan.sounds),
        subtitles=tuple(text.language for text in plan.texts),
        checks=sum(check.ok for check in release.checks),
        rungs=_rates(plan, package),
        difference=_difference(played, plan),
        recipients={recipient.id: recipient.name for recipient in played.recipients},
        leaker=LEAKER,
        stitch_seconds=played.stitch_seconds,
        leak_words=f"shrunk to {LEAK_HEIGHT} lines and encoded again at crf {LEAK_CRF}",
        leak_bytes=played.leak.stat().st_size,
        leak_duration=float(played.leak_duration),
        reference=match.reference,
        query=match.query,
        pairs=_pairs(played),
        readings=_readings(played, accused or LEAKER),
        agreements=_agreements(played, accused),
        accused=accused,
        probability=accusation.false_accusation_probability if accusation else played.found.verdict.lowest_probability,
        allowed=ALLOWED,
    )


def _rates(plan: Plan, package: Path) -> tuple[RungRates, ...]:
    """The mean rate of each rung as its segments weigh, in both variants."""

    def measured(rung: str, variant: Variant) -> float:
        return _bytes(package / video_folder(rung, variant), "*.m4s") * _BITS / float(plan.grid.duration)

    return tuple(
        RungRates(
            name=fitted.rung.name,
            width=fitted.width,
            height=fitted.height,
            asked_bps=fitted.rung.bitrate_bps,
            a_bps=measured(fitted.rung.name, Variant.A),
            b_bps=measured(fitted.rung.name, Variant.B),
        )
        for fitted in plan.rungs
    )


def _difference(played: Played, plan: Plan) -> Difference:
    """The middle of the film on the rung nearest to the leak's size."""
    fitted = min(plan.rungs, key=lambda rung: abs(rung.height - LEAK_HEIGHT))
    joined = result_of(played.context, plan, "join").folder
    a, b = (joined / rendition_name(fitted.rung.name, variant) for variant in Variant)
    return variant_difference(a, b, seconds=float(plan.grid.duration) / 2, gain=_GAIN)


def _pairs(played: Played) -> tuple[Pair, ...]:
    match = played.matches[0]
    moments = spread(float(match.query.start), float(match.query.end), count=_PAIRS)
    offset = float(match.reference.start) - float(match.query.start) * float(match.speed)
    return tuple(
        frame_pair(played.leak, sample(), copy_seconds=moment, title_seconds=offset + moment * float(match.speed))
        for moment in moments
    )


def _readings(played: Played, recipient: str) -> tuple[Reading, ...]:
    letters = sequence(played.context, played.release.title, recipient)
    symbols = played.found.evidence.symbols
    return tuple(Reading(segment=symbol.segment, z=symbol.z, handed=letters[symbol.segment]) for symbol in symbols)


def _agreements(played: Played, accused: str | None) -> tuple[Agreement, ...]:
    rows = []
    for recipient in played.recipients:
        readings = _readings(played, recipient.id)
        rows.append(
            Agreement(
                recipient=recipient.name,
                agreeing=sum(reading.agrees for reading in readings),
                segments=len(readings),
                is_accused=recipient.id == accused,
            )
        )
    return tuple(sorted(rows, key=lambda row: -row.agreeing))


def _bytes(folder: Path, pattern: str) -> int:
    return sum(path.stat().st_size for path in folder.rglob(pattern) if path.is_file())
