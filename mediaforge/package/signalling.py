"""What the packager cannot say of keys: each KID once, PlayReady's address in its header, FairPlay's for each label.

Init segments are written anew here; the manifests repeat what stands in them, so each function returns the texts that take
the place of others there.
"""

import base64
from collections.abc import Collection, Iterable
from dataclasses import replace
from pathlib import Path

from mediaforge.package.boxes import find_all, rewritten
from mediaforge.package.keys import ContentKey
from mediaforge.package.layout import INIT
from mediaforge.package.licences import Licences, fairplay_uri
from mediaforge.package.pssh import (
    PLAYREADY,
    WIDEVINE,
    Pssh,
    build_playready,
    build_pssh,
    build_widevine,
    parse_playready,
    parse_pssh,
    parse_widevine,
    without_repeats,
)
from mediaforge.package.record import System


def finish_inits(folder: Path, kids: Collection[bytes], licences: Licences) -> dict[str, str]:
    """Put every pssh box of a package right: it names each of `kids` once.

    In cenc a key has a label for every stream, and the packager lists it as often; it also lists keys that only open inputs.

    Returns the base64 texts that manifests must have replaced.
    """
    replaced: dict[str, str] = {}

    def finished(box: bytes) -> bytes:
        old = parse_pssh(box)
        new = _with_address(_of(without_repeats(old), kids), licences)
        made = build_pssh(new)
        if made != box:
            replaced[_b64(box)] = _b64(made)
        if new.data != old.data:  # PlayReady's object stands in manifests by itself as well
            replaced[_b64(old.data)] = _b64(new.data)
        return made

    for init in sorted(folder.rglob(INIT)):
        data = init.read_bytes()
        if next(find_all(data, "moov/pssh"), None) is not None:
            init.write_bytes(rewritten(data, "moov/pssh", finished))
    return replaced


def fairplay_addresses(keys: Iterable[ContentKey], licences: Licences) -> dict[str, str]:
    """The packager's key line says skd:// and the KID in base64, or one address for all labels; ours has one for each."""
    return {
        f'"skd://{_b64(key.kid)}"': f'"{fairplay_uri(licences.fairplay, kid=key.kid, label=key.label, title=key.title)}"'
        for key in keys
    }


def dash_addresses(systems: Iterable[System], licences: Licences) -> dict[bytes, str]:
    """Which licence addresses the MPD tells, by system id."""
    known = {System.WIDEVINE: (WIDEVINE, licences.widevine), System.PLAYREADY: (PLAYREADY, licences.playready)}
    return {known[system][0]: known[system][1] for system in systems if system in known and known[system][1]}


def _of(pssh: Pssh, kids: Collection[bytes]) -> Pssh:
    """PlayReady's box needs no such care: it names the key of its own track."""
    kept = replace(pssh, kids=tuple(kid for kid in pssh.kids if kid in kids))
    if pssh.system != WIDEVINE:
        return kept
    data = parse_widevine(pssh.data)
    return replace(kept, data=build_widevine(replace(data, key_ids=tuple(kid for kid in data.key_ids if kid in kids))))


def _with_address(pssh: Pssh, licences: Licences) -> Pssh:
    if pssh.system != PLAYREADY or not licences.playready:
        return pssh
    return replace(pssh, data=build_playready(replace(parse_playready(pssh.data), la_url=licences.playready)))


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()
