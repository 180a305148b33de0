"""CPIX documents of random keys, written and read again: clear; encrypted; encrypted and signed. All must come back equal.

python benchmarks/cpix_round_trips.py [DOCUMENTS]        (1000 of each by default)
"""

import base64
import random
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from mediaforge.package.keysources.cpix_read import read_cpix
from mediaforge.package.keysources.cpix_write import write_cpix
from tests.package.cpix_worlds import random_document
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


if __name__ == "__main__":
    main()
