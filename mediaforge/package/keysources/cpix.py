"""CPIX, the document that packagers and key servers exchange keys by (DASH-IF, versions 2.3 and 2.4): its values.

A key belongs to tracks by usage rules. Ours say it twice, as SPEKE wants it: a track type that is our label, and filters
by the number of pixels.
"""

from dataclasses import dataclass
from typing import Literal

from mediaforge.errors import KeySourceError
from mediaforge.package.keys import KEY_BYTES, LABELS, ContentKey, OutsideKey

Version = Literal["2.3", "2.4"]

# shaka-packager's labels by width times height, as its manual gives them (least and most pixels, both included).
PIXELS: dict[str, tuple[int, int | None]] = {
    "SD": (0, 442_368),
    "HD": (442_369, 2_073_600),
    "UHD1": (2_073_601, 8_847_360),
    "UHD2": (8_847_361, None),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CpixKey:
    """`key` None: asked for, not given. `scheme` is cenc, cbcs or empty where the document leaves it open."""

    kid: bytes
    key: bytes | None = None
    iv: bytes | None = None
    scheme: str = ""
    content_id: str = ""

    def __post_init__(self) -> None:
        for name, value in (("KID", self.kid), ("key", self.key), ("IV", self.iv)):
            if value is not None and len(value) != KEY_BYTES:
                raise KeySourceError(f"key {self.kid.hex()}", f"its {name} has {len(value)} bytes and not {KEY_BYTES}")

    def __repr__(self) -> str:
        return f"CpixKey(kid={self.kid.hex()}, scheme={self.scheme!r}, key=***, iv=***)"


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageRule:
    """Which tracks a key is for. `pixels` are its video filters (least, most), `audio` whether it has an audio filter.

    `unread` names a filter that we cannot follow; by 7.4.17 such a rule, and its key, must not be used.
    """

    kid: bytes
    track_type: str = ""
    pixels: tuple[tuple[int, int | None], ...] = ()
    audio: bool = False
    unread: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DrmSignal:
    """What one DRM system gets to see for a key: `pssh` is a whole box, empty where it is asked for."""

    system: bytes
    kid: bytes
    pssh: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cpix:
    content_id: str
    keys: tuple[CpixKey, ...]
    rules: tuple[UsageRule, ...]
    signals: tuple[DrmSignal, ...] = ()
    version: Version = "2.4"


def cpix_of(title: str, keys: tuple[ContentKey, ...], *, scheme: str, version: Version) -> Cpix:
    """The document of a title's keys. An IV goes with cbcs alone: that of cenc is another for every stream."""
    return Cpix(
        content_id=title,
        keys=tuple(CpixKey(kid=key.kid, key=key.key, iv=None if scheme == "cenc" else key.iv, scheme=scheme) for key in keys),
        rules=tuple(rule_for(key.kid, key.label) for key in keys),
        version=version,
    )


def rule_for(kid: bytes, label: str) -> UsageRule:
    if label == "AUDIO":
        return UsageRule(kid=kid, track_type=label, audio=True)
    return UsageRule(kid=kid, track_type=label, pixels=(PIXELS[label],))


def title_of(document: Cpix, *, source: str) -> str:
    """The one content that all keys are of (2.4 may name one at each key). Raises KeySourceError."""
    names = {key.content_id or document.content_id for key in document.keys}
    if len(names) != 1:
        raise KeySourceError(source, f"holds keys of {len(names)} contents; a document of one title is taken at a time")
    return names.pop()


def outside_keys(document: Cpix, *, source: str) -> tuple[OutsideKey, ...]:
    """The keys with our labels. Raises KeySourceError where a key has no value, no rule, or several labels."""
    rules: dict[bytes, list[UsageRule]] = {}
    for rule in document.rules:
        rules.setdefault(rule.kid, []).append(rule)
    found = tuple(_outside(key, rules.get(key.kid, []), source) for key in document.keys)
    labels = [key.label for key in found]
    twice = next((label for label in LABELS if labels.count(label) > 1), None)
    if twice is not None:
        raise KeySourceError(source, f"has two keys for {twice}; ask for one key a label and no key rotation")
    check_separation(found, source=source)
    return found


def check_separation(keys: tuple[OutsideKey, ...], *, source: str) -> None:
    """Labels are there to have keys of their own, and a key is there to be secret. Raises KeySourceError."""
    for what, values in (("KID", {key.kid for key in keys}), ("key", {key.key for key in keys})):
        if len(values) != len(keys):
            raise KeySourceError(source, f"gave one {what} for several labels; labels are there to have keys of their own")
    if any(not any(key.key) for key in keys):
        raise KeySourceError(source, "gave a key of nothing but zeros; that protects nothing")


def _outside(key: CpixKey, rules: list[UsageRule], source: str) -> OutsideKey:
    if key.key is None:
        raise KeySourceError(source, f"key {key.kid.hex()} has no value; ask the sender for the filled document")
    labels = sorted({label for rule in rules for label in _labels(rule, source)}, key=LABELS.index)
    if len(labels) != 1:
        what = "several labels" if labels else "no label"
        advice = f"give each of {', '.join(LABELS)} a key of its own, and a usage rule that names it"
        raise KeySourceError(source, f"key {key.kid.hex()} is for {what} ({' '.join(labels) or 'no usage rule'}); {advice}")
    return OutsideKey(kid=key.kid, key=key.key, iv=key.iv, label=labels[0])


def _labels(rule: UsageRule, source: str) -> tuple[str, ...]:
    """By name where the track type is one of ours, else by filters."""
    if rule.unread:
        raise KeySourceError(
            source, f"the rule of key {rule.kid.hex()} has a {rule.unread}, which is not supported; leave it out"
        )
    names = tuple(rule.track_type.split("+"))
    if all(name in LABELS for name in names):
        return names
    video = tuple(
        label for label, (least, most) in PIXELS.items() if any(_meet(least, most, *wanted) for wanted in rule.pixels)
    )
    return (("AUDIO",) if rule.audio else ()) + video


def _meet(least: int, most: int | None, wanted_least: int, wanted_most: int | None) -> bool:
    return (wanted_most is None or least <= wanted_most) and (most is None or wanted_least <= most)
