"""New keys for a published title: the same frames under other keys, and what is published plays until it is replaced."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import pytest

from mediaforge import renewal
from mediaforge.catalogue import Catalogue
from mediaforge.checks import failures
from mediaforge.context import Context
from mediaforge.errors import KeyStoreError, MediaError, SettingsError, StoreError
from mediaforge.media import Variant
from mediaforge.package.assembly import package
from mediaforge.package.keys import KeyStore
from mediaforge.package.keysources.cpix import cpix_of
from mediaforge.package.keysources.cpix_write import write_cpix
from mediaforge.package.record import Scheme, System, TextForm, load_record
from mediaforge.package.rekeying import package_kids
from mediaforge.package.verify import verify_package
from mediaforge.record import to_json
from mediaforge.release import KeyName, Manifests, Release, StepRecord, packaged_folder, read_release
from mediaforge.renewal import Wish, rekey
from mediaforge.steps import Step
from mediaforge.store import publish
from mediaforge.tools import FFMPEG_QUIET, Tools, run
from tests.package import small

LABELS = ("AUDIO", "SD")


@dataclass(frozen=True, kw_only=True)
class Title:
    context: Context
    clear: Path

    @property
    def release(self) -> Release:
        return read_release(self.context, "film")

    @property
    def published(self) -> Path:
        return Path(self.release.package)


@pytest.fixture(scope="module")
def made(ffmpeg: Callable[..., None], tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state in which a title was released, and beside it the same title in clear."""
    folder = tmp_path_factory.mktemp("made")
    whole = small.make_request(ffmpeg, tmp_path_factory.mktemp("renditions"))
    (text,) = whole.text
    texts = (text, replace(text, form=TextForm.IMSC))
    request = replace(whole, video=whole.video[:1], audio=whole.audio[1:], text=texts)
    (folder / "clear").mkdir()
    package(replace(request, scheme=Scheme.NONE), (), folder / "clear", tools=tools)
    context = Context(state=folder / "state", tools=tools)
    keys = context.keys.content_keys("film", LABELS)
    step = Step(name="package", version=0, inputs=(), params={})

    def work(to: Path) -> None:
        package(request, keys, to, tools=tools)

    result = context.steps.run(step, work)
    publish(result.folder, str(folder / "published"), last=("mediaforge.json", "master.m3u8", "manifest.mpd"))
    release = Release(
        title="film",
        name="film",
        release_id="film-1",
        package=str(folder / "published"),
        manifests=Manifests.at(str(folder / "published")),
        rungs=(),
        keys=tuple(KeyName(label=key.label, kid=key.kid.hex()) for key in keys),
        watermark=None,
        fingerprint="",
        checks=(),
        steps=(StepRecord.of("package", result), StepRecord.of("verify", result)),
    )
    with Catalogue(context.catalogue_file) as catalogue:
        catalogue.put_title("film", "film", master_digest="ff", record=to_json(release))
    return folder


@pytest.fixture
def title(made: Path, tmp_path: Path, tools: Tools) -> Title:
    """A copy of it, published at a place of its own."""
    folder = Path(shutil.copytree(made, tmp_path / "made"))
    context = Context(state=folder / "state", tools=tools)
    release = replace(read_release(context, "film"), package=str(folder / "published"))
    with Catalogue(context.catalogue_file) as catalogue:
        catalogue.put_title("film", "film", master_digest="ff", record=to_json(release))
    return Title(context=context, clear=folder / "clear")


def key_map(store: KeyStore) -> dict[bytes, bytes]:
    records = store.keys()
    return {row.kid: store.reveal(row.kid).key for row in records}


def problems(title: Title) -> list[str]:
    """What is wrong with what is published; it was decrypted and decoded before it was."""
    return [check.message for check in failures(verify_package(title.published, keys=None))]


def kids(folder: Path) -> set[bytes]:
    return set(package_kids(folder, load_record(folder)).values())


def frames(folder: Path, name: str, key: bytes | None, *, tools: Tools, to: Path) -> list[str]:
    """The digest of every decoded frame of a stream, by another decoder than the packager's."""
    init = folder / name.removeprefix("b/") / "init.mp4"
    segments = sorted((folder / name).glob("*.m4s"), key=lambda path: int(path.stem))
    whole = to / "whole.mp4"
    whole.write_bytes(b"".join(path.read_bytes() for path in (init, *segments)))
    opening = () if key is None else ("-decryption_key", key.hex())
    run(
        [tools.ffmpeg, *FFMPEG_QUIET, "-y", *opening, "-i", whole, "-f", "framemd5", to / "out"],
        name="ffmpeg",
        timeout_seconds=60,
    )
    return [line for line in (to / "out").read_text().splitlines() if not line.startswith("#")]


CHAIN = (Scheme.CBCS, Scheme.CENC, Scheme.CBCS, Scheme.NONE, Scheme.CENC)


def test_every_frame_after_it_is_the_frame_before(title: Title, tools: Tools, tmp_path: Path) -> None:
    names = ("video/v060", "b/video/v060", "audio/ary-aac64")
    before = {name: frames(title.clear, name, None, tools=tools, to=tmp_path) for name in names}
    assert len(before["video/v060"]) == 150 and before["video/v060"] != before["b/video/v060"]
    for scheme in CHAIN:
        rekey(title.context, "film", Wish(scheme=scheme))
        assert problems(title) == []
        record = load_record(title.published)
        assert (record.scheme, record.variants) == (scheme, (Variant.A, Variant.B))
        keys, held = key_map(title.context.keys), package_kids(title.published, record)
        for name in names:
            kid = held.get(name.removeprefix("b/"))
            assert (kid is None) == (scheme is Scheme.NONE)
            assert frames(title.published, name, keys[kid] if kid else None, tools=tools, to=tmp_path) == before[name]
        for name in ("text/fr/1.m4s", "text/fr/1.vtt", "text/fr-imsc/1.m4s"):
            assert (title.published / name).read_bytes() == (title.clear / name).read_bytes()
        assert "كان" in (title.published / "text/fr/1.vtt").read_text(encoding="utf-8")


def test_the_keys_are_new_ones_and_the_old_ones_open_it_no_more(title: Title) -> None:
    old = title.context.keys.present_keys("film")
    release = rekey(title.context, "film", Wish())
    new = title.context.keys.present_keys("film")
    assert {key.kid for key in old}.isdisjoint({key.kid for key in new})
    assert kids(title.published) == {key.kid for key in new}
    assert release == title.release
    assert sorted(row.kid for row in release.keys) == sorted(key.kid.hex() for key in new)
    assert title.context.keys.reveal(old[0].kid) == old[0]  # who still holds the old package keeps playing it
    assert b"".join(key.kid for key in old) not in (title.published / "video/v060/init.mp4").read_bytes()
    for key in old:
        assert key.kid.hex().encode() not in (title.published / "manifest.mpd").read_bytes().replace(b"-", b"")
        assert not any(key.kid in path.read_bytes() for path in title.published.rglob("init.mp4"))


def test_it_is_what_the_renditions_would_have_given(title: Title) -> None:
    rekey(title.context, "film", Wish(scheme=Scheme.NONE))
    for path in title.clear.rglob("*"):
        if path.is_file():
            assert (title.published / path.relative_to(title.clear)).read_bytes() == path.read_bytes(), path


def test_keys_that_wait_for_the_next_release_are_taken(title: Title) -> None:
    waiting = title.context.keys.rekey("film")
    rekey(title.context, "film", Wish())
    assert kids(title.published) == {key.kid for key in waiting}


def test_keys_may_come_from_outside_and_are_new_ones_every_time(title: Title, tmp_path: Path) -> None:
    source = tmp_path / "seed.toml"
    source.write_text('kind = "playready-seed"\nseed = "XVBovsmzhP9gRIZxWfFta3VVRPzVEWmJsazEJ46I"\n')
    source.chmod(0o600)
    used: list[set[bytes]] = []
    for _ in range(2):
        rekey(title.context, "film", Wish(keys=source))
        used.append(kids(title.published))
    records = title.context.keys.keys
    assert {row.origin for row in records() if row.kid in used[0] | used[1]} == {"playready-seed"}
    assert used[0].isdisjoint(used[1])


def test_a_document_with_the_published_keys_is_refused(title: Title, tmp_path: Path) -> None:
    source = tmp_path / "film.xml"
    present = title.context.keys.present_keys("film")
    source.write_bytes(write_cpix(cpix_of("film", present, scheme="cbcs", version="2.4")))
    before = kids(title.published)
    with pytest.raises(KeyStoreError, match="have the key source make new keys"):
        rekey(title.context, "film", Wish(keys=source))
    assert kids(title.published) == before


def test_no_key_serves_two_schemes(title: Title) -> None:
    """Also not by way of the clear: licence servers and players know a KID with one scheme."""
    used: list[set[bytes]] = [kids(title.published)]
    for scheme in (Scheme.NONE, Scheme.CENC):
        rekey(title.context, "film", Wish(scheme=scheme))
        used.append(kids(title.published))
    assert used[1] == set()
    assert used[0].isdisjoint(used[2])


class Killed(BaseException):
    """A kill, as nearly as one process can play it: nothing is caught, nothing tidied."""


@pytest.mark.parametrize("place", ["rekey_package", "verify_recipe", "publish", "_described"])
def test_killed_anywhere_nothing_is_lost_and_again_it_goes_on(
    place: str, title: Title, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    old = kids(title.published)

    def kill(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(renewal, place, kill)
        with pytest.raises(Killed):
            rekey(title.context, "film", Wish(scheme=Scheme.CENC))
    assert problems(title) == []  # the old one, or the new one; never a mixture
    assert kids(title.published) == old or place == "_described"
    waiting = {key.kid for key in title.context.keys.present_keys("film")}
    rekey(title.context, "film", Wish(scheme=Scheme.CENC))
    assert problems(title) == []
    assert kids(title.published) == waiting != old


def test_a_package_that_was_changed_is_not_opened(title: Title) -> None:
    made = packaged_folder(title.context, title.release)
    path = made / "b/video/v060/2.m4s"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(MediaError, match="is not as it was packaged"):
        rekey(title.context, "film", Wish())


def test_a_published_folder_is_enough_where_the_step_s_result_is_gone(title: Title) -> None:
    shutil.rmtree(packaged_folder(title.context, title.release))
    old = kids(title.published)
    rekey(title.context, "film", Wish())
    assert problems(title) == []
    assert kids(title.published).isdisjoint(old)


def test_a_bucket_is_not_changed_in_place(title: Title) -> None:
    release = replace(title.release, package="s3://bucket/film")
    with Catalogue(title.context.catalogue_file) as catalogue:
        catalogue.put_title("film", "film", master_digest="ff", record=to_json(release))
    before = title.context.keys.present_keys("film")
    with pytest.raises(StoreError, match="name a new prefix by --to"):
        rekey(title.context, "film", Wish())
    assert title.context.keys.present_keys("film") == before


@pytest.mark.parametrize(
    ("wish", "reason"),
    [
        (Wish(scheme=Scheme.CENC, systems=(System.FAIRPLAY,)), "FairPlay plays cbcs only"),
        (Wish(scheme=Scheme.NONE, systems=(System.WIDEVINE,)), "give neither --keys nor --drm"),
    ],
)
def test_what_cannot_play_is_refused_before_any_key_is_made(wish: Wish, reason: str, title: Title) -> None:
    before = title.context.keys.present_keys("film")
    with pytest.raises(SettingsError, match=reason):
        rekey(title.context, "film", wish)
    assert title.context.keys.present_keys("film") == before


def test_a_title_in_clear_has_no_keys_to_change(title: Title) -> None:
    rekey(title.context, "film", Wish(scheme=Scheme.NONE))
    with pytest.raises(SettingsError, match="is in clear and has no keys to change"):
        rekey(title.context, "film", Wish())


def test_progress_goes_forward_through_every_step(title: Title) -> None:
    told: list[tuple[str, float]] = []
    rekey(title.context, "film", Wish(), lambda step, share: told.append((step, share)))
    assert list(dict.fromkeys(step for step, _ in told)) == ["rekey", "verify", "publish"]
    for step in ("rekey", "verify", "publish"):
        shares = [share for name, share in told if name == step]
        assert all(one <= other for one, other in pairwise(shares)) and shares[-1] == 1
