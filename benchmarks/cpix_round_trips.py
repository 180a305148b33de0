"""CPIX documents of random keys, written and read again: clear; encrypted; encrypted and signed. All must come back equal.

python benchmarks/cpix_round_trips.py [DOCUMENTS]        (1000 of each by default)
"""

import base64
import random
import sys
import time
from itertools import islice
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from mediaforge.errors import KeySourceError
from mediaforge.package.keysources.cpix_read import read_cpix
from mediaforge.package.keysources.cpix_write import write_cpix
from tests.package.cpix_worlds import random_document
from tests.package.hostile_documents import mutated_documents, read_whole
from tests.package.keypairs import pair


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    ours, theirs = pair("ours"), pair("theirs")
    for what, encrypted, signed in (("clear", False, False), ("encrypted", True, False), ("encrypted, signed", True, True)):
        rng, equal, started = random.Random(9), 0, time.process_time()
        for _ in range(count):
            document = random_document(rng)
            content = write_cpix(
                document, certificate=theirs.certificate if encrypted else None, signer=ours if signed else None
            )
            hidden = encrypted is not any(base64.b64encode(key.key or b"") in content for key in document.keys)
            back = read_cpix(
                content,
                source="it",
                private_key=theirs.key if encrypted else None,
                signed_by=ours.certificate if signed else None,
            )
            equal += back == document and hidden
        print(f"{what}: {equal} of {count} come back equal, {1000 * (time.process_time() - started) / count:.2f} CPU-ms each")
    fuzz(int(sys.argv[2]) if len(sys.argv) > 2 else 10_000)


def fuzz(count: int) -> None:
    refused, slowest = 0, 0.0
    for content in islice(mutated_documents(seed=6), count):
        started = time.perf_counter()
        try:
            read_whole(content)
        except KeySourceError:
            refused += 1
        slowest = max(slowest, time.perf_counter() - started)
    print(f"mutated documents: {count}, refused {refused}, other errors 0; the slowest took {1000 * slowest:.1f} ms")


if __name__ == "__main__":
    main()
