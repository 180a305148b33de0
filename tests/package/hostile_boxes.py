"""Good pssh boxes and what becomes of them in bad hands: for the tests, and for the long run in benchmarks/pssh_codec.py."""

import random
from collections.abc import Iterator

from mediaforge.package.pssh import (
    COMMON,
    PLAYREADY,
    WIDEVINE,
    PlayReadyHeader,
    Pssh,
    WidevineData,
    build_playready,
    build_pssh,
    build_widevine,
    key_ids,
    parse_pssh,
    without_repeats,
)

KIDS = (bytes(range(16)), bytes(range(16, 32)))
LA_URL = "https://licence.example/?a=1&b=2"

_DATA = (
    build_widevine(WidevineData(key_ids=KIDS, scheme="cbcs", provider="example", content_id=b"film")),
    build_playready(PlayReadyHeader(version="4.0.0.0", kids=KIDS[:1], checksums=(b"12345678",), la_url=LA_URL)),
    build_playready(PlayReadyHeader(version="4.3.0.0", kids=KIDS, checksums=(), algorithm="AESCBC", la_url=LA_URL)),
)
GOOD = (
    build_pssh(Pssh(system=COMMON, version=1, kids=KIDS, data=b"")),
    build_pssh(Pssh(system=WIDEVINE, version=0, kids=(), data=_DATA[0])),
    *(build_pssh(Pssh(system=PLAYREADY, version=0, kids=(), data=data)) for data in _DATA[1:]),
)
_EDGES = (0, 1, 0x7F, 0x80, 0xFF)


def mutated_boxes(seed: int) -> Iterator[bytes]:
    """Without end: bytes changed, dropped, doubled, cut; every second box keeps its sizes true, to reach what is inside."""
    rng = random.Random(seed)
    while True:
        box = bytearray(rng.choice(GOOD))
        for _ in range(rng.randint(1, 4)):
            _mutate(box, rng)
        if rng.random() < 0.5 and len(box) >= 32:
            _mend_sizes(box)
        yield bytes(box)


def read_whole(box: bytes) -> None:
    """All that our code does with a box. Raises ValueError, and nothing else, for one that is wrong."""
    pssh = parse_pssh(box)
    assert all(len(kid) == 16 for kid in key_ids(pssh))
    assert parse_pssh(build_pssh(pssh)) == pssh
    without_repeats(pssh)


def _mutate(box: bytearray, rng: random.Random) -> None:
    at = rng.randrange(len(box) + 1)
    match rng.randrange(6):
        case 0 if at < len(box):
            box[at] ^= 1 << rng.randrange(8)
        case 1 if at < len(box):
            box[at] = rng.choice(_EDGES)
        case 2:
            box[at : at + 4] = rng.choice((0, 1, 0x7FFFFFFF, 0xFFFFFFFF, rng.getrandbits(32))).to_bytes(
                4, rng.choice(("big", "little"))
            )  # type: ignore[arg-type]
        case 3:
            del box[at : at + rng.randint(1, 16)]
        case 4:
            box[at:at] = box[at : at + rng.randint(1, 64)]
        case _ if rng.random() < 0.2:
            del box[at:]


def _mend_sizes(box: bytearray) -> None:
    box[:4], box[4:8] = len(box).to_bytes(4, "big"), b"pssh"
    if box[8] == 0:
        data = len(box) - 32
        box[28:32] = data.to_bytes(4, "big")
        if data >= 10 and box[12:28] == PLAYREADY:
            box[32:36] = data.to_bytes(4, "little")
            box[40:42] = (data - 10).to_bytes(2, "little")
