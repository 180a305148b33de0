"""The edge on a real package: what a session downloads, decrypts to the code in its token, whatever lies between."""

import hashlib
import random
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer

from mediaforge.context import Context
from mediaforge.edge.app import edge_app
from mediaforge.edge.token import Session, mint_token
from mediaforge.media import Variant
from mediaforge.package.assembly import Package
from mediaforge.package.layout import segment_name, video_folder
from mediaforge.package.record import Scheme
from mediaforge.store import publish
from mediaforge.tools import Tools
from mediaforge.viewing import open_site, package_site
from tests.edge.asking import Answer, ask
from tests.package.mixes import KEY

SESSIONS = 150
RUNGS = ("v060", "v120")


@pytest.fixture(params=[Scheme.CENC, Scheme.CBCS])
def made(request: pytest.FixtureRequest, packages: dict[Scheme, Package]) -> Package:
    return packages[request.param]


@pytest.fixture
def get(made: Package) -> Callable[[str], Answer]:
    app = edge_app(package_site(made.folder), {KEY.kid: KEY}, now=lambda: 1, tell=lambda _: None)
    return lambda path: ask(app, path.encode())


def token(variants: str, number: int = 0) -> str:
    session = Session(session_id=number.to_bytes(16, "big"), title="film", variants=variants, issued=0, expires=60)
    return mint_token(session, KEY, nonce=number.to_bytes(12, "big"))


def test_every_download_of_every_session_is_the_variant_of_its_code(made: Package, get: Callable[[str], Answer]) -> None:
    segments = made.record.grid.segments
    names = [segment_name(number) for number in range(1, segments + 1)]
    letters = {
        hashlib.sha256((made.folder / video_folder(rung, variant) / name).read_bytes()).digest(): (rung, name, variant.value)
        for rung in RUNGS
        for variant in Variant
        for name in names
    }
    assert len(letters) == 2 * len(RUNGS) * segments  # no two segments are alike, so each tells what it is
    draw = random.Random(4)
    for number in range(SESSIONS):
        variants = "".join(draw.choices("AB", k=segments))
        text = token(variants, number)
        for rung in RUNGS:
            got = [letters[hashlib.sha256(get(f"/{text}/video/{rung}/{name}").body).digest()] for name in names]
            assert got == [(rung, name, letter.lower()) for name, letter in zip(names, variants, strict=True)]


def test_a_session_gets_all_that_the_manifests_name_and_nothing_else_of_the_package(
    made: Package, get: Callable[[str], Answer]
) -> None:
    text = token("ABBA")
    for path in made.folder.rglob("*"):
        name = path.relative_to(made.folder).as_posix()
        if path.is_file():
            hidden = name.startswith("b/") or name == "mediaforge.json"
            answer = get(f"/{text}/{name}")
            assert (answer.status, answer.body == path.read_bytes()) == (
                (403, False) if hidden else (200, _is_served_from_itself(name, "ABBA"))
            ), name


def _is_served_from_itself(name: str, variants: str) -> bool:
    """Not so where the session has variant B there."""
    segment = re.fullmatch(r"video/[^/]+/(\d+)\.m4s", name)
    return segment is None or variants[int(segment[1]) - 1] == "A"


def test_a_session_of_another_title_gets_nothing_of_a_real_package(made: Package) -> None:
    app = edge_app(replace(package_site(made.folder), title="rif"), {KEY.kid: KEY}, now=lambda: 1, tell=lambda _: None)
    assert ask(app, f"/{token('ABBA')}/manifest.mpd".encode()).status == 403


def test_a_package_in_a_bucket_is_served_alike(
    made: Package, tools: Tools, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        endpoint = f"http://{host}:{port}"
        boto3.client("s3", endpoint_url=endpoint).create_bucket(Bucket="bucket")
        publish(made.folder, "s3://bucket/film", last=(), endpoint_url=endpoint, on_progress=lambda *_: None)
        context = Context(state=tmp_path, tools=tools, s3_endpoint=endpoint)
        with open_site(context, "s3://bucket/film", cache_bytes=100_000) as (site, fetch):
            app = edge_app(site, {KEY.kid: KEY}, now=lambda: 1, tell=lambda _: None, fetch=fetch)
            for name, place in (("1.m4s", "b/video"), ("2.m4s", "video"), ("3.m4s", "video"), ("4.m4s", "b/video")):
                answer = ask(app, f"/{token('BAAB')}/video/v120/{name}".encode())
                assert (answer.status, answer.body) == (200, (made.folder / place / "v120" / name).read_bytes())
            for name in ("manifest.mpd", "master.m3u8", "text/fr/1.vtt", "audio/ary-aac64/init.mp4"):
                assert ask(app, f"/{token('BAAB')}/{name}".encode()).body == (made.folder / name).read_bytes()
            assert not (site.folder / "video/v120/1.m4s").exists()
        assert not site.folder.exists()
    finally:
        server.stop()
