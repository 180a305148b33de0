"""A trace as a page for those who have to decide: who, how sure, from what; one file that needs nothing else."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from markupsafe import Markup

from mediaforge.cli.charts import Reading, draw_evidence
from mediaforge.cli.output import clock
from mediaforge.cli.page import Pair
from mediaforge.cli.pictures import frame_pair, spread
from mediaforge.cli.svg import drawing, line, text, trail
from mediaforge.cli.templating import template
from mediaforge.context import Context
from mediaforge.media import Variant
from mediaforge.plan import load_plan
from mediaforge.recipes import result_of
from mediaforge.release import read_release
from mediaforge.transcode.encoder import rendition_name
from mediaforge.watermark.dossier import Course, Dossier, courses
from mediaforge.watermark.evidence import rung_path

_PAIRS = 3
_TOP, _FOOT = 20, 220
_COLUMNS = 90  # more segments than these would be hairs


def trace_page(dossier: Dossier, pairs: Sequence[Pair]) -> str:
    """`pairs`: the copy beside the title at the same moments."""
    surest = [one.recipient for one in dossier.verdict.accusations[:1]]
    return template("trace.html.j2").render(
        dossier=dossier,
        verdict=dossier.verdict,
        pairs=pairs,
        curve=Markup(draw_courses(dossier)) if dossier.verdict.accusations else None,  # noqa: S704 - our own markup
        readings=[(name, Markup(draw_evidence(_readings(dossier, name)))) for name in surest],  # noqa: S704
        rows=_rows(dossier),
        path=[(run, run.first * dossier.segment_seconds) for run in rung_path(dossier.evidence.symbols)],
    )


def aligned_pairs(context: Context, copy: Path, dossier: Dossier) -> list[Pair]:
    """The copy beside the title's best rung where it was read; none where nothing was. Raises MediaError."""
    symbols = dossier.evidence.symbols
    if not symbols:
        return []
    plan = load_plan(context, read_release(context, dossier.title).release_id)
    best = result_of(context, plan, "join").folder / rendition_name(plan.rungs[-1].rung.name, Variant.A)
    ends = (symbols[0].segment, symbols[-1].segment + 1)
    moments = spread(*(end * dossier.segment_seconds for end in ends), count=_PAIRS)
    placed = [(moment, dossier.evidence.placed(moment)) for moment in moments]
    copied = [(moment, (moment - where.offset) / where.speed) for moment, where in placed if where is not None]
    return [frame_pair(copy, best, copy_seconds=at, title_seconds=moment) for moment, at in copied]


def draw_courses(dossier: Dossier) -> str:
    """The bound on a false accusation, falling as more of the copy is read; the line is what was asked."""
    found = courses(dossier)
    asked = float(np.log10(dossier.false_accusation))
    longest = max(float(course.seconds[-1]) for course in found)
    deepest = min(asked, *(float(course.log10_bound.min()) for course in found)) * 1.05

    def down(log10: float) -> float:
        return _TOP + (_FOOT - _TOP) * log10 / deepest

    step = max(1, round(-deepest / 5))
    parts = []
    for power in range(0, int(-deepest) + 1, step):
        parts.append(line(x1=0, y1=down(-power), x2=100, y2=down(-power), look="grid"))
        words = "no bound" if power == 0 else f"1 in 10^{power}"
        parts.append(text(words, x=0, y=down(-power) - 4, look="small muted halo"))
    for number, course in enumerate(found):
        parts.append(_course(course, longest, down, look="surest" if number == 0 else "further"))
    parts.append(line(x1=0, y1=down(asked), x2=100, y2=down(asked), look="tick"))
    parts.append(text("asked", x=100, y=down(asked) - 5, look="small label halo", anchor="end"))
    parts.append(text(clock(longest), x=100, y=_FOOT + 18, look="small muted", anchor="end"))
    parts.append(text("of the copy read", x=0, y=_FOOT + 18, look="small muted"))
    label = "; ".join(f"{course.recipient}: one in 10^{-course.log10_bound[-1]:.1f} at the end" for course in found)
    return drawing(*parts, height=_FOOT + 26, label=f"The bound on a false accusation along the copy. {label}")


def _course(course: Course, longest: float, down: Callable[[float], float], *, look: str) -> str:
    points = zip(course.seconds.tolist(), course.log10_bound.tolist(), strict=True)
    corners = [(0.0, down(0.0)), *((100 * at / longest, down(log)) for at, log in points)]
    return trail(corners, height=_FOOT, look=f"course {look}")


def _readings(dossier: Dossier, recipient: str) -> list[Reading]:
    """Those of the first segments read; the table has all."""
    pairs = zip(dossier.evidence.symbols, dossier.codes[recipient], strict=True)
    return [Reading(segment=symbol.segment, z=symbol.z, handed=letter) for symbol, letter in pairs][:_COLUMNS]


def _rows(dossier: Dossier) -> list[tuple[object, ...]]:
    """Segment, where in the title, the odds of A, what was read and how surely, on which rung; what each accused was handed."""
    rows = []
    for place, symbol in enumerate(dossier.evidence.symbols):
        letters = [dossier.codes[one.recipient][place] for one in dossier.verdict.accusations]
        at = clock(symbol.segment * dossier.segment_seconds)
        read = "A" if symbol.rho > 0 else "B"
        rows.append((symbol.segment, at, f"{dossier.odds[place] / 256:.2f}", read, f"{symbol.z:+.1f}", symbol.rung, *letters))
    return rows
