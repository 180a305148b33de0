"""A viewing session: the token that gives a recipient their own sequence of a title, and the package that an edge serves."""

import secrets
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from mediaforge.catalogue import Catalogue
from mediaforge.context import Context
from mediaforge.copies import sequence
from mediaforge.edge.cache import BucketCache
from mediaforge.edge.sidecar import UNMARKED, segment_sidecar
from mediaforge.edge.site import Site
from mediaforge.edge.token import Algorithm, EdgeKey, Session, mint_token, signing_key
from mediaforge.errors import MediaError, StoreError
from mediaforge.media import Variant, is_id
from mediaforge.package.layout import (
    DASH_MANIFEST,
    HLS_MANIFEST,
    INIT,
    PLAYLIST,
    RECORD,
    TRICK_FOLDER,
    audio_folder,
    segment_name,
    video_folder,
)
from mediaforge.package.record import load_record
from mediaforge.release import read_release
from mediaforge.store import open_store


def edge_key(context: Context, title: str, version: int) -> EdgeKey:
    """The key of a title's tokens: derived like the watermark's secret; another `version` is another key."""
    words = (title, str(version))
    return EdgeKey(
        kid=str(version).encode(),
        mac=context.keys.derive("edge token", *words),
        pattern=context.keys.derive("edge pattern", *words),
        signer=signing_key(context.keys.derive("edge signature", *words) + context.keys.derive("edge signature, rest", *words)),
    )


def edge_public_key(context: Context, title: str, version: int) -> str:
    """What other edges verify this title's ES256 tokens with: PEM (RFC 7468, 13). Raises UnknownId."""
    read_release(context, title)
    public = edge_key(context, title, version).signer.public_key()
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def view_token(
    context: Context,
    title: str,
    recipient: str,
    *,
    now: int,
    minutes: int,
    version: int,
    algorithm: Algorithm = Algorithm.HS256,
    address: str = "",
    cookie: bytes = b"",
) -> tuple[str, Session]:
    """A token for one session of a recipient, noted in the catalogue. `now` in Unix seconds. Raises UnknownId, MediaError."""
    session = Session(
        session_id=secrets.token_bytes(16),
        title=title,
        variants=sequence(context, title, recipient),
        issued=now,
        expires=now + 60 * minutes,
        address=address,
        cookie=cookie,
    )
    token = mint_token(session, edge_key(context, title, version), nonce=secrets.token_bytes(12), algorithm=algorithm)
    with Catalogue(context.catalogue_file) as catalogue:
        catalogue.record_copy(title, recipient, kind="sequence")
    return token, session


@contextmanager
def open_site(context: Context, place: str, *, cache_bytes: int) -> Iterator[tuple[Site, Callable[[str], None] | None]]:
    """What an edge serves, and, of a package in a bucket, what brings its files to a cache of about `cache_bytes` on this disk.

    Raises MediaError, StoreError, UnknownId.
    """
    where = _where(context, place)
    if "://" not in where:
        yield package_site(Path(where)), None
        return
    store = open_store(where, endpoint_url=context.s3_endpoint)
    with tempfile.TemporaryDirectory(prefix="mediaforge-edge-") as name:
        folder = Path(name)
        store.get(RECORD, folder / RECORD)
        cache = BucketCache(store, folder, most_bytes=cache_bytes, stamped=(folder / RECORD).read_bytes())
        yield package_site(folder), cache.fetch


def read_site(context: Context, place: str) -> Site:
    """What an edge serves of a title of this state, or of the package in a folder. Raises MediaError, StoreError, UnknownId."""
    where = _where(context, place)
    if "://" in where:
        raise StoreError(where, "lies in a bucket, and sidecars are made of a folder; copy it to one and name that")
    return package_site(Path(where))


def package_site(folder: Path) -> Site:
    """What an edge serves of the package in a folder. Raises MediaError where it is none, or has one variant only."""
    record = load_record(folder)
    if set(record.variants) != set(Variant):
        raise MediaError(folder, "has one variant of each segment, so there is nothing to choose; serve it as plain files")
    return Site(
        title=record.title,
        folder=folder,
        manifests=frozenset({DASH_MANIFEST, HLS_MANIFEST}),
        marked={video_folder(rung.name): video_folder(rung.name, Variant.B) for rung in record.rungs},
        shared=frozenset(
            [audio_folder(row.language, row.name) for row in record.audio]
            + [row.folder for row in record.text]
            + ([TRICK_FOLDER] if record.trick else [])
        ),
        heads=frozenset({INIT, PLAYLIST}),
        unmarked={video_folder(rung.name): frozenset(rung.unmarked) for rung in record.rungs},
    )


def _where(context: Context, place: str) -> str:
    return read_release(context, place).package if is_id(place) else place


def write_sidecars(site: Site, to: Path) -> int:
    """WMPaceInfo for other edges: beside each marked folder's place below `to`, a file for each segment; how many.

    `WMPaceInfo/<file>` is where Akamai's module looks; ETSI TS 104 002 leaves the place open.
    """
    count = 0
    for folder in site.marked:
        target = to / folder / "WMPaceInfo"
        try:
            target.mkdir(parents=True, exist_ok=True)
            unmarked = site.unmarked.get(folder, frozenset())
            for number in range(len(tuple((site.folder / folder).glob("*.m4s")))):
                position = UNMARKED if number in unmarked else number
                (target / segment_name(number + 1)).write_bytes(segment_sidecar(position))
                count += 1
        except OSError as error:
            raise StoreError(to, f"cannot be written ({error.strerror}); free space or choose another --to") from error
    return count
