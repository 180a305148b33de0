"""The index: what is added is found again, whole or not at all."""

import hashlib
import struct
import threading
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from mediaforge.detect.codes import distances
from mediaforge.detect.index import Index, Reference
from mediaforge.detect.video import Fingerprint
from mediaforge.errors import StoreError, UnknownId


def made_up(frames: int, seed: int = 1) -> Fingerprint:
    draw = np.random.default_rng(seed)
    return Fingerprint(
        seconds=Fraction(frames, 4),
        times=np.arange(frames, dtype=np.int64) * 250,
        reference_codes=draw.integers(0, 2**64, (frames, 3, 4), np.uint64),
        query_codes=draw.integers(0, 2**64, (frames, 2, 2, 4), np.uint64),
    )


@pytest.fixture
def index(tmp_path: Path) -> Index:
    return Index(tmp_path / "index")


def test_an_index_that_was_never_filled_is_empty(index: Index) -> None:
    assert index.titles() == ()
    references = index.load()
    assert len(references.lookup(made_up(2).query_codes[:, 0, 0], 256).frame) == 0


def test_a_title_comes_back_as_it_was_added(index: Index) -> None:
    seen = made_up(9)
    index.add("atlas", seen)
    found = index.read("atlas")
    assert (found.title, found.seconds) == ("atlas", Fraction(9, 4))
    assert (found.times == seen.times).all()
    assert (found.codes == seen.reference_codes).all()
    assert index.size_bytes("atlas") == 9 * (4 + 96)


def test_a_title_added_again_takes_the_place_of_the_earlier(index: Index) -> None:
    index.add("atlas", made_up(9))
    index.add("atlas", made_up(5))
    assert index.titles() == ("atlas",)
    assert len(index.read("atlas").times) == 5


def test_titles_lie_side_by_side_in_memory(index: Index) -> None:
    for title, frames in (("b", 3), ("a", 2), ("none", 0)):
        index.add(title, made_up(frames, seed=frames))
    references = index.load()
    assert references.titles == ("a", "b", "none")
    assert references.starts.tolist() == [0, 2, 5, 5]
    assert references.times.tolist() == [0, 250, 0, 250, 500]


def test_a_removed_title_is_gone(index: Index) -> None:
    index.add("atlas", made_up(2))
    index.remove("atlas")
    assert index.titles() == ()
    with pytest.raises(UnknownId, match="no fingerprint of title 'atlas'"):
        index.remove("atlas")
    with pytest.raises(UnknownId):
        index.read("atlas")


def test_a_title_is_adopted_from_another_index(index: Index, tmp_path: Path) -> None:
    other = Index(tmp_path / "other")
    other.add("atlas", made_up(4))
    index.adopt("atlas", other)
    assert (index.read("atlas").codes == other.read("atlas").codes).all()


@pytest.mark.parametrize("name", ["../atlas", "", "-x", "a/b", "أطلس"])
def test_only_ids_name_titles(index: Index, name: str) -> None:
    with pytest.raises(StoreError, match="cannot name a title"):
        index.add(name, made_up(1))


def only_segment(index: Index) -> Path:
    (path,) = index.folder.glob("*.mfs")
    return path


@pytest.mark.parametrize("at", [0, 5, 70, 200, -60, -1])
def test_a_flipped_byte_is_noticed_and_the_file_named(index: Index, at: int) -> None:
    index.add("atlas", made_up(9))
    path = only_segment(index)
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)
    with pytest.raises(StoreError, match=r"00000001\.mfs: "):
        index.load()


@pytest.mark.parametrize("length", [0, 10, 40, 300])
def test_a_cut_file_is_noticed(index: Index, length: int) -> None:
    index.add("atlas", made_up(9))
    path = only_segment(index)
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(StoreError, match=r"00000001\.mfs: .*add its titles again"):
        index.load()


def test_a_missing_segment_is_noticed(index: Index) -> None:
    index.add("atlas", made_up(9))
    only_segment(index).unlink()
    with pytest.raises(StoreError, match=r"00000001\.mfs: is missing"):
        index.load()


def test_a_damaged_manifest_is_noticed(index: Index) -> None:
    index.add("atlas", made_up(9))
    manifest = index.folder / "index.json"
    manifest.write_text(manifest.read_text().replace("00000001", "00000002"))
    with pytest.raises(StoreError, match=r"index\.json: is damaged"):
        index.load()


def test_many_titles_are_merged_and_stay_what_they_were(index: Index) -> None:
    for number in range(30):
        index.add(f"film-{number:02d}", made_up(3 + number, seed=number))
    index.remove("film-03")
    index.add("film-04", made_up(5, seed=99))
    assert len(list(index.folder.glob("*.mfs"))) <= 14
    index.check()
    assert index.titles() == tuple(f"film-{number:02d}" for number in range(30) if number != 3)
    for number in (0, 5, 29):
        assert (index.read(f"film-{number:02d}").codes == made_up(3 + number, seed=number).reference_codes).all()
    assert (index.read("film-04").codes == made_up(5, seed=99).reference_codes).all()


def test_a_segment_that_is_mostly_removed_titles_shrinks(index: Index) -> None:
    index.put(*(reference(f"film-{number}", made_up(100, seed=number)) for number in range(4)))
    before = only_segment(index).stat().st_size
    index.remove("film-0")
    assert only_segment(index).stat().st_size == before
    index.remove("film-1")
    assert only_segment(index).stat().st_size < 0.6 * before
    assert index.titles() == ("film-2", "film-3")


def reference(title: str, seen: Fingerprint) -> Reference:
    return Reference(title=title, seconds=seen.seconds, times=seen.times, codes=seen.reference_codes)


def old_file(folder: Path, title: str, seen: Fingerprint) -> Path:
    """A title as version 1 kept it."""
    name = title.encode()
    seconds = (seen.seconds.numerator, seen.seconds.denominator)
    header = struct.pack("<4sHHHIQQ", b"MFFP", 1, 3, len(name), len(seen.times), *seconds)
    body = header + name + seen.times.tobytes() + seen.reference_codes.tobytes()
    folder.mkdir(exist_ok=True)
    path = folder / f"{title}.mfp"
    path.write_bytes(body + hashlib.sha256(body).digest())
    return path


def test_files_of_the_first_version_are_read_and_taken_over_by_the_next_change(index: Index) -> None:
    old = [old_file(index.folder, title, made_up(6, seed=seed)) for seed, title in enumerate(("atlas", "rif", "toubkal"))]
    assert index.titles() == ("atlas", "rif", "toubkal")
    assert (index.load().codes[6:12] == made_up(6, seed=1).reference_codes).all()
    index.remove("toubkal")
    index.add("rif", made_up(4))
    assert not any(path.exists() for path in old)
    assert index.titles() == ("atlas", "rif")
    assert (index.read("atlas").codes == made_up(6, seed=0).reference_codes).all()
    assert len(index.read("rif").times) == 4


def test_a_damaged_file_of_the_first_version_can_be_removed(index: Index) -> None:
    path = old_file(index.folder, "atlas", made_up(3))
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(StoreError, match=r"atlas\.mfp: .*remove it with `fingerprint remove atlas`"):
        index.load()
    index.remove("atlas")
    assert index.titles() == ()


def test_readers_see_a_title_whole_while_it_is_written_again(index: Index) -> None:
    index.add("atlas", made_up(50))
    done = threading.Event()

    def write() -> None:
        for turn in range(60):
            index.add("atlas", made_up(50 + turn % 2, seed=turn))
            index.add("rif", made_up(3))
            index.remove("rif")
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    while not done.is_set():
        assert index.load().titles[:1] == ("atlas",)
    writer.join()


def test_lookup_finds_what_is_within_the_radius_and_nothing_else(index: Index) -> None:
    seen = made_up(5000)  # more than one block
    index.add("atlas", seen)
    references = index.load()
    wanted = seen.reference_codes[[0, 4097, 4999], [0, 1, 2]].copy()
    wanted[:, 0] ^= np.uint64(0b111)
    exact = references.lookup(wanted, 3)
    assert sorted(zip(exact.query.tolist(), exact.frame.tolist(), exact.distance.tolist(), strict=True)) == [
        (0, 0, 3),
        (1, 4097, 3),
        (2, 4999, 3),
    ]
    assert len(references.lookup(wanted, 2).frame) == 0
    wide = references.lookup(wanted, 110)
    nearest = np.stack([distances(wanted, seen.reference_codes[:, crop]) for crop in range(3)]).min(axis=0)
    assert sorted(zip(wide.query, wide.frame, strict=True)) == sorted(zip(*np.nonzero(nearest <= 110), strict=True))
