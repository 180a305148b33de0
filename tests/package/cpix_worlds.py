"""Random keys and documents, for the tests and for the long run in benchmarks/cpix_round_trips.py."""

import random

from mediaforge.package.keys import LABELS, ContentKey
from mediaforge.package.keysources.cpix import Cpix, cpix_of


def random_keys(rng: random.Random, title: str = "film") -> tuple[ContentKey, ...]:
    labels = rng.sample(LABELS, rng.randint(1, len(LABELS)))
    return tuple(
        ContentKey(kid=rng.randbytes(16), key=rng.randbytes(16), iv=rng.randbytes(16), label=label, title=title)
        for label in labels
    )


def random_document(rng: random.Random) -> Cpix:
    version = "2.3" if rng.random() < 0.5 else "2.4"
    return cpix_of("film", random_keys(rng), scheme=rng.choice(("cbcs", "cenc")), version=version)
