"""The plan's page."""

from mediaforge.titleplan import TitlePlan


def page(plan: TitlePlan) -> str:
    return ""
