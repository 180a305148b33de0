"""Any sequence of A and B opens to the samples and the pictures of the variants it names."""

import random
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import pytest

from mediaforge.media import Grid
from mediaforge.package.assembly import Package
from mediaforge.package.plan import PackageRequest
from mediaforge.package.record import Scheme
from tests.package.mixes import (
    Mixable,
    initial_vectors,
    inits,
    pictures_apart,
    read_mixable,
    segments_apart,
    sequences,
)
from tests.package.small import make_request

GRID = Grid(fps=Fraction(25), gop_frames=12, frames=12 * 16 - 5)
RUNGS = ("v060", "v120")
SEQUENCES = 200


@pytest.fixture(scope="module")
def request_of_many(ffmpeg: Callable[..., None], tmp_path_factory: pytest.TempPathFactory) -> PackageRequest:
    """Sixteen short segments, so that sequences differ."""
    return replace(make_request(ffmpeg, tmp_path_factory.mktemp("many"), grid=GRID), text=())


@pytest.fixture(scope="module", params=[Scheme.CENC, Scheme.CBCS])
def mix(
    request: pytest.FixtureRequest,
    request_of_many: PackageRequest,
    make_package: Callable[..., Package],
    key_map: dict[bytes, bytes],
) -> Mixable:
    made = make_package(replace(request_of_many, scheme=request.param))
    return read_mixable(made.folder, request_of_many, key_map)


def test_every_sequence_decrypts_to_the_variants_it_names(mix: Mixable) -> None:
    for variants in sequences(random.Random(4), count=SEQUENCES, segments=GRID.segments):
        for rung in RUNGS:
            assert segments_apart(mix, rung, variants) == []
    assert len(mix.opened) == 2 * 2 * GRID.segments  # so A and B differ in every segment


def test_a_sequence_is_decoded_frame_by_frame_as_its_variants(mix: Mixable) -> None:
    for variants in ("AB" * 8, *sequences(random.Random(5), count=1, segments=GRID.segments)):
        for rung in RUNGS:
            assert pictures_apart(mix, rung, variants) == []


def test_another_sequence_would_have_been_seen(mix: Mixable) -> None:
    """The comparison itself: a segment that is exchanged is found, by its samples and by its pictures."""
    one, other = (mix.folder / top / "video/v060/3.m4s" for top in ("", "b"))
    kept = one.read_bytes()
    one.write_bytes(other.read_bytes())
    try:
        assert segments_apart(mix, "v060", "A" * GRID.segments) == [3]
        found = pictures_apart(mix, "v060", "A" * GRID.segments)
        assert found and set(found) <= set(range(24, 36))
    finally:
        one.write_bytes(kept)


def test_variants_share_one_init_segment(mix: Mixable) -> None:
    assert inits(mix.folder) == [f"video/{rung}/init.mp4" for rung in RUNGS]


def test_no_iv_stands_twice_under_a_key_in_what_is_packaged_of_two_cuts(
    request_of_many: PackageRequest, make_package: Callable[..., Package], content_keys: object
) -> None:
    """cenc: neither within a package nor between it and one of other renditions under the same keys. cbcs: one a key."""
    low = request_of_many.video[0]
    other_cut = replace(request_of_many, video=(replace(low, a=low.b or low.a, b=low.a), *request_of_many.video[1:]))
    first, second = (
        initial_vectors(make_package(replace(one, scheme=Scheme.CENC)).folder)[0] for one in (request_of_many, other_cut)
    )
    assert set(first.values()) == {1}
    assert first.total() > 2 * 2 * GRID.frames  # both rungs in both variants, and the sound
    changed = {at for at in second if at not in first}
    assert len(changed) == 2 * GRID.frames  # the rung whose files were exchanged, in both variants
    each, constant = initial_vectors(make_package(replace(request_of_many, scheme=Scheme.CBCS)).folder)
    assert not each
    assert len({kid for kid, _ in constant}) == len({iv for _, iv in constant}) == len(constant) == 3
