"""Which file of a package a session gets under an address: a list of what there is, so that no trick reaches anything else."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

# As both manifests count them (package/layout.py): from 1, without a leading zero, so that a segment has one name.
_SEGMENT = re.compile(r"([1-9][0-9]{0,4})\.(m4s|vtt)", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What is served of one title's package in `folder`.

    `manifests`: files at the top. `marked`: folders of variant A, and where B lies. `shared`: folders that all sessions get
    alike. `heads`: what lies in a folder beside its segments (init segment, playlist). `unmarked`: by marked
    folder, the segments from 0 that are the same in both variants.
    """

    title: str
    folder: Path
    manifests: frozenset[str]
    marked: Mapping[str, str]
    shared: frozenset[str]
    heads: frozenset[str]
    unmarked: Mapping[str, frozenset[int]] = field(default_factory=dict)


def find_file(site: Site, wanted: str, variants: str) -> str | None:
    """The file in the package for the address `wanted`, or None. `variants`: "ABBA...", a letter a segment.

    Variant B has no address of its own: who could name it would have both variants of every segment.
    """
    folder, _, name = wanted.rpartition("/")
    known = folder in site.marked or folder in site.shared
    if wanted in site.manifests or (known and name in site.heads):
        return wanted
    segment = _SEGMENT.fullmatch(name) if known else None
    if segment is None:
        return None
    if folder in site.shared:
        return wanted
    if segment[2] != "m4s":
        return None
    letter = variants[int(segment[1]) - 1 :][:1]  # empty behind the last segment
    return {"A": wanted, "B": f"{site.marked[folder]}/{name}"}.get(letter)
