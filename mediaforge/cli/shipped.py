"""What comes with mediaforge beside its code: ladders and the sample, in the installed package or in a checkout."""

import re
from pathlib import Path

from mediaforge.errors import LadderError, NetworkError
from mediaforge.ladder import Ladder
from mediaforge.ladderfile import load_ladder
from mediaforge.media import SideFile
from mediaforge.transcode.network import Network, load_network

_PACKAGE = Path(__file__).parent.parent


def shipped_ladders() -> tuple[Path, ...]:
    return tuple(sorted(_folder("ladders").glob("*.toml"), key=lambda path: path.stem))


def reference_ladders() -> tuple[Path, ...]:
    """What others recommend, to compare with."""
    return tuple(sorted((_folder("ladders") / "references").glob("*.toml")))


def find_ladder(name: str) -> Path:
    """A shipped ladder by its name, or any other by its path. Raises LadderError naming those that are there."""
    if "/" in name or name.endswith(".toml"):
        return Path(name)
    ladders = {path.stem: path for path in shipped_ladders()}
    if name not in ladders:
        raise LadderError(
            name, f"no ladder of this name is shipped; choose {' or '.join(ladders)}, or give a path to a TOML file"
        )
    return ladders[name]


def shipped_networks() -> tuple[Path, ...]:
    return tuple(sorted((_folder("ladders") / "networks").glob("*.toml")))


def find_network(name: str) -> Path:
    """A shipped network by its name, or any other by its path. Raises NetworkError naming those that are there."""
    if "/" in name or name.endswith(".toml"):
        return Path(name)
    networks = {path.stem: path for path in shipped_networks()}
    if name not in networks:
        raise NetworkError(
            name, f"no network of this name is shipped; choose {' or '.join(networks)}, or give a path to a TOML file"
        )
    return networks[name]


def open_ladder(name: str) -> tuple[Ladder, Network | None, Ladder | None]:
    """A ladder, and the network and the reference ladder that its policy names. Raises LadderError, NetworkError."""
    ladder = load_ladder(find_ladder(name))
    if ladder.policy is None:
        return ladder, None, None
    reference = load_ladder(find_ladder(ladder.policy.reference)) if ladder.policy.reference else None
    return ladder, load_network(find_network(ladder.policy.network)), reference


def sample() -> Path:
    """The shipped film."""
    return _folder("samples") / "atlas-720p25.mp4"


def sample_subtitles() -> tuple[SideFile, ...]:
    """The subtitles beside the film; their language stands before the suffix, as in atlas.ar.srt."""
    files = sorted(path for path in sample().parent.glob("atlas*") if path.suffix in (".srt", ".vtt"))
    return tuple(SideFile(path=path, language=re.split(r"[.-]", path.stem)[-1]) for path in files)


def _folder(name: str) -> Path:
    """In the wheel such folders lie inside the package; in a checkout beside it."""
    inside = _PACKAGE / name
    return inside if inside.is_dir() else _PACKAGE.parent / name
