"""Every rule there is, in the order in which a package is held against them."""

from mediaforge.package import contents, player_cells
from mediaforge.package.laws import (
    decoding,
    files,
    imsc,
    inits,
    licences,
    manifests,
    mixing,
    mpd,
    playlists,
    protection,
    rates,
    segments,
    timeline,
    trick,
)
from mediaforge.package.rules import Rule

RULES: tuple[Rule, ...] = (
    *contents.RULES,
    *files.RULES,
    *inits.RULES,
    *segments.RULES,
    *timeline.RULES,
    *rates.RULES,
    *mixing.RULES,
    *trick.RULES,
    *imsc.RULES,
    *protection.RULES,
    *licences.RULES,
    *manifests.RULES,
    *mpd.RULES,
    *playlists.RULES,
    *decoding.RULES,
    *player_cells.RULES,
)

_BY_ID = {rule.id: rule for rule in RULES}


def rule_of(check_id: str) -> Rule:
    """The rule that a check is of: its id, or the longest beginning of it that is one. Raises KeyError where there is none."""
    words = check_id.split(".")
    for length in range(len(words), 0, -1):
        rule = _BY_ID.get(".".join(words[:length]))
        if rule is not None:
            return rule
    raise KeyError(check_id)
