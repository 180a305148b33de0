"""The plan's page: one HTML file that needs nothing else, for a browser of any width, light or dark."""

import math

from markupsafe import Markup

from mediaforge import __version__
from mediaforge.cli.ladder_hulls import draw_hulls, shape_curves
from mediaforge.cli.ladder_shots import draw_strips
from mediaforge.cli.ladder_viewers import draw_percentiles, headline, price_at
from mediaforge.cli.templating import template
from mediaforge.forecast import FEATURE_SECONDS, GOOD_VMAF
from mediaforge.titleplan import TitlePlan


def page(plan: TitlePlan, *, sentences: tuple[str, ...], encoder: str) -> str:
    """The page as text. `sentences` sum the plan up; `encoder` names the build that studied the title."""
    ladders = (plan.ours, *plan.others)
    names, currency = [one.name for one in ladders], plan.network.price.currency
    prices = [price_at(one) for one in ladders]
    dearest = math.ceil(max(float(row.max()) for row in prices) / 4) * 4  # so that the quarters on the axis are whole numbers
    shapes = shape_curves(plan.curves, plan.shapes, plan.ladder.audio)
    return template("ladder.html.j2").render(
        plan=plan,
        ladders=ladders,
        sentences=sentences,
        encoder=encoder,
        version=__version__,
        good_vmaf=GOOD_VMAF,
        feature_seconds=FEATURE_SECONDS,
        bars=[(title, way, _ours(drawn)) for title, way, drawn in headline(ladders, GOOD_VMAF, FEATURE_SECONDS)],
        hulls=_ours(draw_hulls(shapes, ladders, plan.network)),
        vmaf_at=_ours(draw_percentiles([one.vmaf_at for one in ladders], names, most=100, unit="VMAF")),
        price_at=_ours(draw_percentiles(prices, names, most=max(1, dearest), unit=currency, tall=150)),
        strips=_ours(draw_strips(plan.ours.offers, plan.curves)),
        shots=int(plan.curves.shot.max()) + 1,
    )


def _ours(markup: str) -> Markup:
    return Markup(markup)  # noqa: S704 - our own markup; every word in it is escaped by svg.py
