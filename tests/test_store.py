"""Folders and buckets. S3 here is moto's server: it proves calls and their order, not signatures or server-side checksums."""

import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import boto3
import pytest
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

from mediaforge.errors import StoreError
from mediaforge.store import open_store, publish, replacing
from mediaforge.store.disk import sha256_of

LAST = ("manifest.mpd", "master.m3u8", "mediaforge.json")


@pytest.fixture
def package(tmp_path: Path) -> Path:
    return make_package(tmp_path / "work" / "title", text="one")


def make_package(folder: Path, *, text: str) -> Path:
    for name in ("video/v070/init.mp4", "video/v070/1.m4s", "b/video/v070/1.m4s", "text/ar/1.vtt", *LAST):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"{text} {name}")
    return folder


def tree(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def listing(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


# A folder


def test_verbs_in_a_folder(tmp_path: Path) -> None:
    kept = open_store(str(tmp_path / "store"))
    (tmp_path / "file").write_bytes(b"abc")
    assert kept.names() == () and kept.size("a/b.bin") is None
    kept.put(tmp_path / "file", "a/b.bin")
    kept.put(tmp_path / "file", "c.bin")
    kept.get("a/b.bin", tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == kept.read("a/b.bin") == b"abc"
    assert kept.names() == ("a/b.bin", "c.bin") and kept.names("a/") == ("a/b.bin",) and kept.size("c.bin") == 3
    kept.delete("a/b.bin")
    kept.delete("a/b.bin")
    assert kept.names() == ("c.bin",)
    with pytest.raises(StoreError, match=r"a/b\.bin: is not there"):
        kept.read("a/b.bin")


@pytest.mark.parametrize(
    "name", ["../x", "a/../x", "/etc/passwd", "", "a//b", ".hidden", "a/.part", "a\\b", "a\nb", "a\0b", "."]
)
def test_names_stay_below_their_store(tmp_path: Path, name: str) -> None:
    kept = open_store(str(tmp_path))
    (tmp_path / "file").write_bytes(b"abc")
    for act in (lambda: kept.put(tmp_path / "file", name), lambda: kept.read(name), lambda: kept.delete(name)):
        with pytest.raises(StoreError, match="cannot name a file"):
            act()


@pytest.mark.parametrize("uri", ["", "ftp://host/x", "s3://", "s3:///x", "s3://bucket/../x"])
def test_a_place_that_is_none_is_a_sentence(uri: str) -> None:
    with pytest.raises(StoreError):
        open_store(uri)


def test_a_file_is_no_store(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="is a file"):
        open_store(str(tmp_path / "file"))


def test_a_failed_put_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = open_store(str(tmp_path / "store"))
    (tmp_path / "file").write_bytes(b"old")
    kept.put(tmp_path / "file", "x.bin")
    monkeypatch.setattr(os, "fsync", raise_no_space)
    with pytest.raises(StoreError, match="full"):
        kept.put(tmp_path / "file", "x.bin")
    assert tree(tmp_path / "store") == {"x.bin": b"old"}


def raise_no_space(_: object) -> None:
    raise OSError(28, "No space left on device")


# Publishing into a folder


def test_publish_copies_the_tree_and_tells_its_progress(package: Path, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    publish(package, str(tmp_path / "out" / "title"), last=LAST, on_progress=lambda done, total: told.append((done, total)))
    size = sum(len(data) for data in tree(package).values())
    assert tree(tmp_path / "out" / "title") == tree(package)
    assert told[-1] == (size, size) and [done for done, _ in told] == sorted(done for done, _ in told)
    assert listing(tmp_path / "out") == ["title"]


def test_publish_again_replaces_the_whole(package: Path, tmp_path: Path) -> None:
    publish(package, str(tmp_path / "title"), last=LAST)
    (package / "video/v070/1.m4s").unlink()
    publish(package, str(tmp_path / "title"), last=LAST)
    assert tree(tmp_path / "title") == tree(package)


@pytest.mark.parametrize("can_exchange", [True, False])
def test_replacing_works_where_folders_cannot_be_exchanged(
    package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, can_exchange: bool
) -> None:
    if not can_exchange:
        monkeypatch.setattr(replacing, "_exchange", lambda one, other: False)
    publish(make_package(tmp_path / "old", text="old"), str(tmp_path / "out" / "title"), last=LAST)
    publish(package, str(tmp_path / "out" / "title"), last=LAST)
    assert tree(tmp_path / "out" / "title") == tree(package)
    assert listing(tmp_path / "out") == ["title"]


@pytest.mark.parametrize("replaces", [True, False])
def test_a_publisher_killed_midway_harms_nothing(package: Path, tmp_path: Path, replaces: bool) -> None:
    final = tmp_path / "out" / "title"
    if replaces:
        publish(make_package(tmp_path / "old", text="old"), str(final), last=LAST)
    before = tree(final)
    kill = "lambda done, total: os.kill(os.getpid(), 9) if done > total / 2 else None"
    child = in_child(f"publish(Path({str(package)!r}), {str(final)!r}, last={LAST}, on_progress={kill})")
    assert child.returncode == -signal.SIGKILL
    assert final.exists() is replaces and tree(final) == before
    publish(package, str(final), last=LAST)
    assert tree(final) == tree(package) and listing(tmp_path / "out") == ["title"]


def test_a_publisher_killed_between_two_renames_is_mended_by_the_next(
    package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    final = tmp_path / "out" / "title"
    publish(make_package(tmp_path / "old", text="old"), str(final), last=LAST)
    before = tree(final)
    final.rename(final.with_name(".title.old"))
    shutil.copytree(package, final.with_name(".title.new"))
    with monkeypatch.context() as patch, pytest.raises(StoreError):
        patch.setattr(os, "fsync", raise_no_space)
        publish(package, str(final), last=LAST)
    assert tree(final) == before and listing(tmp_path / "out") == ["title"]


@pytest.mark.parametrize(("owner", "step"), [(shutil, "copyfile"), (os, "fsync"), (replacing, "_put_in_place")])
def test_a_failure_at_any_step_keeps_the_old_package(
    package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, owner: Any, step: str
) -> None:
    final = tmp_path / "out" / "title"
    publish(make_package(tmp_path / "old", text="old"), str(final), last=LAST)
    before = tree(final)

    def fail(*_: Any, **__: Any) -> None:
        raise_no_space(final)

    monkeypatch.setattr(owner, step, fail)
    with pytest.raises(StoreError, match=r"disk .* is full"):
        publish(package, str(final), last=LAST)
    assert tree(final) == before and listing(tmp_path / "out") == ["title"]


def test_too_little_space_is_told_before_the_first_byte(package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**9, 10**9 - 5000, 5000))
    with pytest.raises(StoreError, match=r"needs 0\.0 MB and 0\.0 MB is free"):
        publish(package, str(tmp_path / "out" / "title"), last=LAST)
    assert listing(tmp_path / "out") == []


def test_a_write_that_the_system_refuses_is_a_sentence_and_leaves_nothing(package: Path, tmp_path: Path) -> None:
    (package / "video/v070/2.m4s").write_bytes(bytes(100_000))
    child = in_child(
        f"""
        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
        try:
            publish(Path({str(package)!r}), {str(tmp_path / "out" / "title")!r}, last={LAST})
        except StoreError as error:
            print(error.message)
        """
    )
    assert "the disk or this user's share of it is full" in child.stdout and "File too large" in child.stdout
    assert listing(tmp_path / "out") == []


def test_a_folder_this_user_may_not_write_is_a_sentence(package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(source: Path, target: Path) -> None:
        raise PermissionError(13, "Permission denied", str(target))

    monkeypatch.setattr(shutil, "copyfile", refuse)
    with pytest.raises(StoreError, match=r"no permission for it \(Permission denied: .*\); grant it"):
        publish(package, str(tmp_path / "out" / "title"), last=LAST)
    assert listing(tmp_path / "out") == []


def test_a_folder_that_is_no_package_is_never_replaced(package: Path, tmp_path: Path) -> None:
    (tmp_path / "films").mkdir()
    (tmp_path / "films" / "wedding.mov").touch()
    with pytest.raises(StoreError, match="holds other files and no package"):
        publish(package, str(tmp_path / "films"), last=LAST)
    assert listing(tmp_path / "films") == ["wedding.mov"]


def test_a_package_without_manifests_to_keep_back_can_be_replaced(package: Path, tmp_path: Path) -> None:
    publish(package, str(tmp_path / "title"), last=())
    publish(package, str(tmp_path / "title"), last=())
    assert tree(tmp_path / "title") == tree(package)
    (tmp_path / "films").mkdir()
    (tmp_path / "films" / "wedding.mov").touch()
    with pytest.raises(StoreError, match="holds other files and no package"):
        publish(package, str(tmp_path / "films"), last=())


def test_an_empty_folder_may_become_a_package(package: Path, tmp_path: Path) -> None:
    (tmp_path / "title").mkdir()
    publish(package, str(tmp_path / "title"), last=LAST)
    assert tree(tmp_path / "title") == tree(package)


@pytest.mark.parametrize("place", [".", "inner", ".."])
def test_a_package_is_not_published_onto_itself(package: Path, place: str) -> None:
    before = tree(package)
    with pytest.raises(StoreError, match="lie in one another"):
        publish(package, str(package / place), last=LAST)
    assert tree(package) == before


@pytest.mark.parametrize("harm", ["manifest", "link", "fifo", "hidden"])
def test_what_is_no_finished_package_is_not_published(package: Path, tmp_path: Path, harm: str) -> None:
    if harm == "manifest":
        (package / "master.m3u8").unlink()
    elif harm == "link":
        (package / "more").symlink_to(tmp_path)
    elif harm == "fifo":
        os.mkfifo(package / "pipe")
    else:
        (package / ".DS_Store").touch()
    with pytest.raises(StoreError):
        publish(package, str(tmp_path / "out"), last=LAST)
    assert not (tmp_path / "out").exists()


def test_two_publishers_of_one_package_do_not_mix(package: Path, tmp_path: Path) -> None:
    final = str(tmp_path / "title")

    def second(done: int, total: int) -> None:
        with pytest.raises(StoreError, match="by another process"):
            publish(package, final, last=LAST)

    publish(package, final, last=LAST, on_progress=second)
    assert tree(tmp_path / "title") == tree(package) and listing(tmp_path) == ["title", "work"]


def in_child(code: str) -> subprocess.CompletedProcess[str]:
    head = "import os, resource\nfrom pathlib import Path\nfrom mediaforge.errors import StoreError\n"
    script = head + "from mediaforge.store import publish\n" + textwrap.dedent(code)
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=60)


# A bucket


class Seen(NamedTuple):
    method: str
    name: str
    query: str


class Server:
    """moto's S3 behind a door that writes down every request and can refuse some."""

    def __init__(self) -> None:
        self.inner = DomainDispatcherApplication(create_backend_app)
        self.seen: list[Seen] = []
        self.refuse: Callable[[Seen], tuple[str, str] | None] = lambda seen: None
        self.web = make_server("127.0.0.1", 0, self, threaded=True)
        self.url = f"http://127.0.0.1:{self.web.server_port}"
        threading.Thread(target=self.web.serve_forever, daemon=True).start()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        seen = Seen(environ["REQUEST_METHOD"], environ["PATH_INFO"].removeprefix("/bucket/out/"), environ["QUERY_STRING"])
        self.seen.append(seen)
        refusal = self.refuse(seen)
        if refusal is None:
            return self.inner(environ, start_response)
        environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        start_response(refusal[0], [("Content-Type", "application/xml")])
        return [f"<Error><Code>{refusal[1]}</Code><Message>said the door</Message></Error>".encode()]

    def puts(self) -> list[str]:
        return [seen.name for seen in self.seen if seen.method == "PUT"]


@pytest.fixture(scope="module")
def running() -> Iterator[Server]:
    server = Server()
    yield server
    server.web.shutdown()


@pytest.fixture
def server(running: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    running.refuse = lambda seen: None
    client = boto3.client("s3", endpoint_url=running.url, region_name="us-east-1")
    client.create_bucket(Bucket="bucket")
    for item in client.list_objects_v2(Bucket="bucket").get("Contents", ()):
        client.delete_object(Bucket="bucket", Key=item["Key"])
    running.seen.clear()
    return running


def test_verbs_in_a_bucket(server: Server, tmp_path: Path) -> None:
    kept = open_store("s3://bucket/out/", endpoint_url=server.url)
    (tmp_path / "file").write_bytes(b"abc")
    assert kept.names() == () and kept.size("a/b.bin") is None
    kept.put(tmp_path / "file", "a/b.bin")
    kept.put(tmp_path / "file", "c.bin")
    kept.get("a/b.bin", tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == kept.read("a/b.bin") == b"abc"
    assert kept.names() == ("a/b.bin", "c.bin") and kept.names("a/") == ("a/b.bin",) and kept.size("c.bin") == 3
    kept.delete("a/b.bin")
    kept.delete("a/b.bin")
    assert kept.names() == ("c.bin",)
    for act in (lambda: kept.read("a/b.bin"), lambda: kept.get("a/b.bin", tmp_path / "none")):
        with pytest.raises(StoreError, match=r"s3://bucket/out/a/b\.bin: is not there"):
            act()
    assert not (tmp_path / "none").exists()
    with pytest.raises(StoreError, match="cannot name a file"):
        kept.read("../secret")


def test_what_comes_back_changed_is_not_kept(server: Server, tmp_path: Path) -> None:
    kept = open_store("s3://bucket/out", endpoint_url=server.url)
    (tmp_path / "file").write_bytes(b"abc")
    kept.client.put_object(Bucket="bucket", Key="out/x.bin", Body=b"abd", Metadata={"sha256": sha256_of(tmp_path / "file")})
    with pytest.raises(StoreError, match="other bytes"):
        kept.get("x.bin", tmp_path / "back")
    assert listing(tmp_path) == ["file"]


def test_manifests_come_last_and_in_order(server: Server, package: Path) -> None:
    (package / "video/v070/big.mp4").write_bytes(os.urandom(1024) * 20 * 1024)
    told: list[tuple[int, int]] = []
    publish(
        package,
        "s3://bucket/out",
        last=LAST,
        endpoint_url=server.url,
        on_progress=lambda done, total: told.append((done, total)),
    )
    assert tuple(server.puts()[-3:]) == LAST and set(server.puts()[:-3]).isdisjoint(LAST)
    assert sum(seen.method == "PUT" and "partNumber" in seen.query for seen in server.seen) == 3
    assert told[-1][0] == told[-1][1] > 20 * 1024 * 1024
    kept = open_store("s3://bucket/out", endpoint_url=server.url)
    assert {name: kept.read(name) for name in kept.names()} == tree(package)


def test_objects_carry_their_digest_and_type(server: Server, package: Path) -> None:
    publish(package, "s3://bucket/out", last=LAST, endpoint_url=server.url)
    client = open_store("s3://bucket/out", endpoint_url=server.url).client
    heads = {name: client.head_object(Bucket="bucket", Key=f"out/{name}") for name in tree(package)}
    assert {name: head["Metadata"]["sha256"] for name, head in heads.items()} == {
        name: sha256_of(package / name) for name in heads
    }
    assert {Path(name).suffix: head["ContentType"] for name, head in heads.items()} == {
        ".json": "application/json",
        ".m3u8": "application/vnd.apple.mpegurl",
        ".m4s": "video/iso.segment",
        ".mp4": "video/mp4",
        ".mpd": "application/dash+xml",
        ".vtt": "text/vtt",
    }


def test_publishing_again_uploads_only_what_changed(server: Server, package: Path) -> None:
    publish(package, "s3://bucket/out", last=LAST, endpoint_url=server.url)
    server.seen.clear()
    publish(package, "s3://bucket/out", last=LAST, endpoint_url=server.url)
    assert server.puts() == []
    name = "video/v070/1.m4s"
    (package / name).write_text((package / name).read_text().upper())  # the same size, other bytes
    publish(package, "s3://bucket/out", last=LAST, endpoint_url=server.url)
    assert server.puts() == [name]


def test_a_failed_upload_keeps_the_manifests_back(server: Server, package: Path) -> None:
    server.refuse = lambda seen: ("403 Forbidden", "AccessDenied") if seen[:2] == ("PUT", "text/ar/1.vtt") else None
    with pytest.raises(StoreError, match="may not do PutObject") as caught:
        publish(package, "s3://bucket/out", last=LAST, endpoint_url=server.url)
    assert not set(server.puts()) & set(LAST) and not caught.value.transient
    server.refuse = lambda seen: None
    server.seen.clear()
    publish(package, "s3://bucket/out", last=LAST, endpoint_url=server.url)
    assert tuple(server.puts()[-3:]) == LAST and "text/ar/1.vtt" in server.puts()


def test_after_a_refusal_the_rest_is_not_tried(server: Server, package: Path) -> None:
    for number in range(100):
        (package / f"b/video/v070/{number + 2}.m4s").write_bytes(b"x")
    server.refuse = lambda seen: ("403 Forbidden", "AccessDenied") if seen.method == "PUT" else None
    with pytest.raises(StoreError, match="may not do PutObject"):
        publish(package, "s3://bucket/out", last=LAST, endpoint_url=server.url)
    assert len(server.puts()) < 50


def test_a_server_that_stumbles_is_asked_again(server: Server, package: Path) -> None:
    stumbles = iter(range(3))
    server.refuse = lambda seen: (
        ("503 Slow Down", "SlowDown") if seen.method == "PUT" and next(stumbles, None) is not None else None
    )
    publish(package, "s3://bucket/out", last=LAST, endpoint_url=server.url)
    assert len(server.puts()) == len(tree(package)) + 3


def test_a_missing_bucket_is_a_sentence(server: Server) -> None:
    with pytest.raises(StoreError, match=r"s3://other/out: there is no such bucket at http://127\.0\.0\.1") as caught:
        open_store("s3://other/out", endpoint_url=server.url)
    assert "create it" in caught.value.message


def test_refused_credentials_are_a_sentence(server: Server, package: Path) -> None:
    server.refuse = lambda seen: ("403 Forbidden", "" if seen.method == "HEAD" else "InvalidAccessKeyId")
    with pytest.raises(StoreError, match=r"refuses the credentials \(InvalidAccessKeyId\); set AWS_ACCESS_KEY_ID"):
        publish(package, "s3://bucket/out", last=LAST, endpoint_url=server.url)


def test_missing_credentials_are_a_sentence(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(StoreError, match="no complete credentials were found; set AWS_ACCESS_KEY_ID"):
        open_store("s3://bucket/out", endpoint_url=server.url)


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "no url"])
def test_an_endpoint_out_of_reach_is_a_sentence(server: Server, url: str) -> None:
    with pytest.raises(StoreError, match=r"check .*endpoint"):
        open_store("s3://bucket/out", endpoint_url=url)


def test_importing_the_store_imports_no_boto3() -> None:
    code = "import json, sys, mediaforge.store; print(json.dumps([m for m in sys.modules if m.startswith('boto')]))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert json.loads(found) == []
