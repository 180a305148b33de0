"""Everything that must hold of a package before it is published. Nothing the packager said is believed."""

from collections.abc import Callable, Mapping
from pathlib import Path

from mediaforge.checks import Check
from mediaforge.package.contents import read_contents
from mediaforge.package.laws.decoding import check_decoding
from mediaforge.package.laws.files import check_files
from mediaforge.package.laws.imsc import check_imsc
from mediaforge.package.laws.inits import check_inits
from mediaforge.package.laws.licences import check_licences
from mediaforge.package.laws.manifests import check_manifests
from mediaforge.package.laws.mixing import check_mixing
from mediaforge.package.laws.mpd import check_mpd
from mediaforge.package.laws.playlists import check_playlists
from mediaforge.package.laws.protection import check_protection
from mediaforge.package.laws.rates import check_rates
from mediaforge.package.laws.segments import check_segments
from mediaforge.package.laws.timeline import check_timeline
from mediaforge.package.laws.trick import check_trick


def verify_package(
    folder: Path,
    *,
    keys: Mapping[bytes, bytes] | None,
    on_progress: Callable[[float], None] = lambda _: None,
) -> tuple[Check, ...]:
    """Hold a package against its record (mediaforge.json), its manifests against its files, and decode all of it.

    `keys` maps KIDs to keys; with None the structure alone is checked, and a warning says so. `on_progress` gets the share
    decoded, 0 to 1. Raises MediaError only where the folder is no package at all.
    """
    contents = read_contents(folder)
    return (
        *contents.damage,
        *check_files(contents),
        *check_inits(contents),
        *check_segments(contents),
        *check_timeline(contents),
        *check_rates(contents),
        *check_mixing(contents),
        *check_trick(contents),
        *check_imsc(contents),
        *check_protection(contents, keys),
        *check_licences(contents),
        *check_manifests(contents),
        *check_mpd(contents),
        *check_playlists(contents),
        *check_decoding(contents, keys, on_progress),
    )
