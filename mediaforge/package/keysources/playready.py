"""PlayReady's key seed (Microsoft, "PlayReady Header Specification", content key generation): one secret, a key for any KID."""

import hashlib
import uuid
from dataclasses import dataclass, field

from mediaforge.errors import SettingsError
from mediaforge.package.keys import KEY_BYTES, OutsideKey
from mediaforge.package.keysources.source import KeyWish

SEED_BYTES = 30  # a longer seed is cut to this


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayReadySeed:
    """The seed that a licence server holds too, so that no key need be told to it."""

    seed: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.seed) < SEED_BYTES:
            raise SettingsError(f"a PlayReady key seed has at least {SEED_BYTES} bytes; this one has {len(self.seed)}")

    @property
    def origin(self) -> str:
        return "playready-seed"

    def fetch(self, wish: KeyWish) -> tuple[OutsideKey, ...]:
        return tuple(
            OutsideKey(kid=kid, key=seeded_key(self.seed, kid), label=label)
            for label, kid in zip(wish.labels, wish.kids, strict=True)
        )


def seeded_key(seed: bytes, kid: bytes) -> bytes:
    """Three SHA-256 over the seed and the KID (as a little-endian GUID), folded into 16 bytes by XOR."""
    seed, guid = seed[:SEED_BYTES], uuid.UUID(bytes=kid).bytes_le
    key = bytes(KEY_BYTES)
    for text in (seed + guid, seed + guid + seed, seed + guid + seed + guid):
        digest = hashlib.sha256(text).digest()
        key = bytes(a ^ b ^ c for a, b, c in zip(key, digest[:KEY_BYTES], digest[KEY_BYTES:], strict=True))
    return key
