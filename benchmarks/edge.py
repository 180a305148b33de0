"""The reference edge: requests a minute on one core, every token checked, and every session's downloads held against its code.

    python benchmarks/edge.py [REQUESTS] [SEGMENT_BYTES]        (defaults: 2000 and 480000, a segment of 2 Mbit/s)

One server process and one client on this machine, HTTP/1.1 kept alive. Each request is of another session of a film of two
hours. What counts is the server's own CPU time, so a busy machine says nearly the same: that of a run with the requests, less
that of a run with a few.
"""

import hashlib
import http.client
import multiprocessing
import random
import resource
import sys
import tempfile
import time
from pathlib import Path
from socket import socket

from mediaforge.edge.app import edge_app
from mediaforge.edge.server import open_port, serve_app
from mediaforge.edge.site import Site
from mediaforge.edge.token import EdgeKey, Session, mint_token, signing_key, verify_token

KEY = EdgeKey(kid=b"1", mac=bytes(range(32)), pattern=bytes(range(32, 64)), signer=signing_key(bytes(64)))
POSITIONS = 3750  # two hours of 1.92 s
SEGMENTS = 8  # those that lie on the disk
FEW = 50
TARGET = 10_000


def main() -> None:
    requests = int(sys.argv[1]) if len(sys.argv) > 1 else 2_000
    size = int(sys.argv[2]) if len(sys.argv) > 2 else 480_000
    rng = random.Random(4)
    sessions = [_session(rng) for _ in range(200)]
    tokens = [mint_token(session, KEY, nonce=rng.randbytes(12)) for session in sessions]
    print(
        f"a token of {POSITIONS} segments has {len(tokens[0])} characters; to verify it takes {_verifying(tokens):.0f} CPU-us"
    )
    with tempfile.TemporaryDirectory() as name:
        site = _site(Path(name), size)
        digests = {
            variant: [hashlib.sha256((site.folder / folder / f"{n}.m4s").read_bytes()).digest() for n in range(1, SEGMENTS + 1)]
            for variant, folder in {"A": "video/360p", "B": "b/video/360p"}.items()
        }
        few = _run(site, sessions, tokens, digests, FEW)
        many = _run(site, sessions, tokens, digests, FEW + requests)
    each = (many - few) / requests
    print(f"{requests} segments of {size} bytes, each the variant of its session: {1000 * each:.2f} CPU-ms a request")
    print(f"  {60 / each:.0f} requests a minute of one core (wanted: {TARGET}; ratio {60 / each / TARGET:.1f})")


def _session(rng: random.Random) -> Session:
    variants = "".join(rng.choices("AB", k=POSITIONS))
    now = int(time.time())
    return Session(session_id=rng.randbytes(16), title="atlas", variants=variants, issued=now, expires=now + 3600)


def _verifying(tokens: list[str]) -> float:
    now, began = time.time(), time.process_time()
    for token in tokens:
        verify_token(token, {KEY.kid: KEY}, title="atlas", now=now)
    return 1e6 * (time.process_time() - began) / len(tokens)


def _site(folder: Path, size: int) -> Site:
    for number, place in enumerate(("video/360p", "b/video/360p")):
        (folder / place).mkdir(parents=True)
        for segment in range(1, SEGMENTS + 1):
            (folder / place / f"{segment}.m4s").write_bytes(random.Random(100 * number + segment).randbytes(size))
    none: frozenset[str] = frozenset()
    marked = {"video/360p": "b/video/360p"}
    return Site(title="atlas", folder=folder, manifests=none, marked=marked, shared=none, heads=none)


def _run(site: Site, sessions: list[Session], tokens: list[str], digests: dict[str, list[bytes]], count: int) -> float:
    """CPU seconds of a server's whole life."""
    before = _children()
    listening = open_port("127.0.0.1", 0)
    child = multiprocessing.get_context("fork").Process(target=_serve, args=(site, listening))
    child.start()
    connection = http.client.HTTPConnection("127.0.0.1", listening.getsockname()[1], timeout=60)
    for number in range(count):
        session, segment = number % len(sessions), number // len(sessions) % SEGMENTS
        connection.request("GET", f"/{tokens[session]}/video/360p/{segment + 1}.m4s")
        body = connection.getresponse().read()
        assert hashlib.sha256(body).digest() == digests[sessions[session].variants[segment]][segment]
    connection.close()
    child.terminate()
    child.join()
    listening.close()
    return _children() - before


def _serve(site: Site, listening: socket) -> None:
    serve_app(edge_app(site, {KEY.kid: KEY}, now=time.time, tell=print), listening)


def _children() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    main()
