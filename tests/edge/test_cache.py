"""An edge whose package lies elsewhere: each file is fetched once, the disk stays small, and what is out of reach is said."""

import threading
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from mediaforge.edge.app import edge_app
from mediaforge.edge.cache import BucketCache
from mediaforge.edge.site import Site
from mediaforge.edge.token import EdgeKey, Session, mint_token, signing_key
from mediaforge.errors import StoreError
from tests.edge.asking import ask

KEY = EdgeKey(kid=b"1", mac=b"m" * 32, pattern=b"p" * 32, signer=signing_key(b"s" * 64))


@dataclass
class Bucket:
    """A store of a few files that counts what is fetched; it can be out of reach."""

    files: dict[str, bytes]
    fetched: list[str] = field(default_factory=list)
    is_out_of_reach: bool = False

    def get(self, name: str, to: Path) -> None:
        self.fetched.append(name)
        if self.is_out_of_reach or name not in self.files:
            raise StoreError(f"s3://bucket/{name}", "is not to be had", transient=self.is_out_of_reach)
        to.write_bytes(self.files[name])

    def size(self, name: str) -> int | None:
        if self.is_out_of_reach:
            raise StoreError("s3://bucket", "is out of reach")
        return len(self.files[name]) if name in self.files else None


FILES = {f"{top}video/360p/{number}.m4s": f"{top}{number}".encode() * 100 for top in ("", "b/") for number in (1, 2)}


@pytest.fixture
def bucket() -> Bucket:
    return Bucket(files=dict(FILES))


def cache(bucket: Bucket, folder: Path, most_bytes: int = 10_000) -> BucketCache:
    return BucketCache(bucket, folder, most_bytes=most_bytes, stamped=b"one release")  # type: ignore[arg-type]


def get(cache: BucketCache, path: str, log: list[str] | None = None) -> tuple[int, bytes, dict[str, str]]:
    site = Site(
        title="atlas",
        folder=cache.folder,
        manifests=frozenset(),
        marked={"video/360p": "b/video/360p"},
        shared=frozenset(),
        heads=frozenset(),
    )
    session = Session(session_id=b"0123456789abcdef", title="atlas", variants="ABA", issued=0, expires=60)
    told: list[str] = [] if log is None else log
    app = edge_app(site, {KEY.kid: KEY}, now=lambda: 1, tell=told.append, fetch=cache.fetch)
    answer = ask(app, f"/{mint_token(session, KEY, nonce=b'n' * 12)}/{path}".encode())
    return answer.status, answer.body, answer.headers


def test_a_session_gets_its_variant_out_of_the_bucket_and_each_file_is_fetched_once(bucket: Bucket, tmp_path: Path) -> None:
    held = cache(bucket, tmp_path)
    for _ in range(3):
        assert get(held, "video/360p/1.m4s")[:2] == (200, FILES["video/360p/1.m4s"])
        assert get(held, "video/360p/2.m4s")[:2] == (200, FILES["b/video/360p/2.m4s"])
    assert bucket.fetched == ["video/360p/1.m4s", "b/video/360p/2.m4s"]


def test_what_is_refused_is_not_fetched(bucket: Bucket, tmp_path: Path) -> None:
    held = cache(bucket, tmp_path)
    for path in ("b/video/360p/1.m4s", "mediaforge.json", "video/../b/video/360p/1.m4s"):
        assert get(held, path)[0] == 403
    assert bucket.fetched == []


def test_what_the_bucket_does_not_have_is_missing(bucket: Bucket, tmp_path: Path) -> None:
    assert get(cache(bucket, tmp_path), "video/360p/3.m4s")[0] == 404


def test_a_bucket_out_of_reach_is_said_and_asked_again(bucket: Bucket, tmp_path: Path) -> None:
    held, log = cache(bucket, tmp_path), list[str]()
    bucket.is_out_of_reach = True
    status, body, headers = get(held, "video/360p/1.m4s", log)
    assert (status, body, headers["cache-control"]) == (503, b"not now\n", "no-store")
    assert log == ["not served: s3://bucket: is out of reach"]
    bucket.is_out_of_reach = False
    assert get(held, "video/360p/1.m4s")[0] == 200


def test_the_disk_keeps_what_was_asked_for_last(bucket: Bucket, tmp_path: Path) -> None:
    held = cache(bucket, tmp_path, most_bytes=450)
    for name in ("video/360p/1.m4s", "video/360p/2.m4s", "b/video/360p/1.m4s"):
        held.fetch(name)
        held.fetch("video/360p/1.m4s")
    there = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.m4s")}
    assert there == {"video/360p/1.m4s", "b/video/360p/1.m4s"}
    assert sum((tmp_path / name).stat().st_size for name in there) <= 450
    held.fetch("video/360p/2.m4s")
    assert (tmp_path / "video/360p/2.m4s").is_file()


def test_a_file_has_the_same_etag_whenever_it_is_fetched(bucket: Bucket, tmp_path: Path) -> None:
    tags = set()
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        tags.add(get(cache(bucket, tmp_path / name), "video/360p/1.m4s")[2]["etag"])
    assert len(tags) == 1


def test_of_many_that_ask_at_once_one_fetches(bucket: Bucket, tmp_path: Path) -> None:
    held = cache(bucket, tmp_path)
    threads = [threading.Thread(target=held.fetch, args=("video/360p/1.m4s",)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert bucket.fetched == ["video/360p/1.m4s"]
