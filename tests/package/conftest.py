"""Small real renditions and packages, made once: two rungs in two variants, two sounds, subtitles; 150 frames, 4 segments."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from lxml import etree

from mediaforge.package.assembly import Package, package
from mediaforge.package.keys import ContentKey, KeyStore
from mediaforge.package.plan import PackageRequest
from mediaforge.package.record import Scheme
from mediaforge.tools import Tools
from tests.conftest import REPOSITORY
from tests.package import small


@pytest.fixture(scope="session")
def make_video(ffmpeg: Callable[..., None]) -> Callable[..., Path]:
    return partial(small.make_video, ffmpeg)


@pytest.fixture(scope="session")
def make_trick(ffmpeg: Callable[..., None]) -> Callable[..., Path]:
    return partial(small.make_trick, ffmpeg)


@pytest.fixture(scope="session")
def request_(ffmpeg: Callable[..., None], tmp_path_factory: pytest.TempPathFactory) -> PackageRequest:
    """A request for everything: see `small.make_request`."""
    return small.make_request(ffmpeg, tmp_path_factory.mktemp("renditions"))


@pytest.fixture(scope="session")
def content_keys(tmp_path_factory: pytest.TempPathFactory) -> tuple[ContentKey, ...]:
    return KeyStore(tmp_path_factory.mktemp("keys")).content_keys("film", ("AUDIO", "SD", "HD"))


@pytest.fixture(scope="session")
def key_map(content_keys: tuple[ContentKey, ...]) -> dict[bytes, bytes]:
    return {key.kid: key.key for key in content_keys}


@pytest.fixture(scope="session")
def make_package(
    tools: Tools, content_keys: tuple[ContentKey, ...], tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., Package]:
    def make(request: PackageRequest) -> Package:
        return package(request, content_keys, tmp_path_factory.mktemp("made") / "package", tools=tools)

    return make


@pytest.fixture(scope="session")
def packages(request_: PackageRequest, make_package: Callable[..., Package]) -> dict[Scheme, Package]:
    """One package a scheme. Tests read them; those that change something take a `copy_of`."""
    return {scheme: make_package(replace(request_, scheme=scheme)) for scheme in (Scheme.CBCS, Scheme.CENC)}


@pytest.fixture
def copy_of(tmp_path: Path) -> Callable[[Package], Path]:
    def copy(made: Package) -> Path:
        return Path(shutil.copytree(made.folder, tmp_path / "copy"))

    return copy


@pytest.fixture(scope="session")
def mpd_schema() -> etree.XMLSchema:
    """MPEG's own, ISO/IEC 23009-1; it imports another by URL, whose place here a stub takes."""
    folder = REPOSITORY.parent / "shared" / "schemas"
    if not folder.is_dir():
        pytest.skip("the schemas are not beside this checkout; what other readers find in the MPD is tested without them too")

    class Local(etree.Resolver):
        def resolve(self, url: str, _: str, context: object) -> object:
            return self.resolve_filename(str(folder / "xlink-stub.xsd"), context) if "xlink" in url else None  # type: ignore[arg-type]

    parser = etree.XMLParser()
    parser.resolvers.add(Local())
    return etree.XMLSchema(etree.parse(folder / "DASH-MPD.xsd", parser))
