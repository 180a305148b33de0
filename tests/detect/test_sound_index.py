"""The sounds of titles on disk."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from mediaforge.detect.sound import SoundPrint
from mediaforge.detect.sound_index import SoundIndex
from mediaforge.errors import StoreError


def heard(seed: int, *, peaks: int = 200, longest: int = 40) -> SoundPrint:
    rng = np.random.default_rng(seed)
    return SoundPrint(
        seconds=Fraction(1001, 30),
        times=np.cumsum(rng.integers(0, longest, peaks)).astype(np.int32),
        tones=rng.integers(0, 247, peaks).astype(np.uint8),
        is_strong=rng.random(peaks) < 0.6,
    )


@pytest.mark.parametrize("longest", [3, 256, 2000])
def test_what_is_kept_is_what_a_title_needs(tmp_path: Path, longest: int) -> None:
    seen = heard(1, longest=longest)
    SoundIndex(tmp_path).add("atlas", [seen])
    (kept,) = SoundIndex(tmp_path).read("atlas")
    assert (kept.title, kept.seconds) == ("atlas", seen.seconds)
    assert np.array_equal(kept.times, seen.times[seen.is_strong])
    assert np.array_equal(kept.tones, seen.tones[seen.is_strong])


def test_gaps_of_255_frames_are_no_end(tmp_path: Path) -> None:
    """The gap that means "more to come" must not be taken for a peak, nor a peak for it."""
    times = np.array([255, 510, 511, 1276], np.int32)
    seen = SoundPrint(seconds=Fraction(60), times=times, tones=np.arange(4, dtype=np.uint8), is_strong=np.ones(4, bool))
    SoundIndex(tmp_path).add("gaps", [seen])
    (kept,) = SoundIndex(tmp_path).read("gaps")
    assert kept.times.tolist() == times.tolist() and kept.tones.tolist() == [0, 1, 2, 3]


def test_all_tracks_of_a_title_are_kept_and_a_title_without_sound_is_no_error(tmp_path: Path) -> None:
    index = SoundIndex(tmp_path)
    index.add("atlas", [heard(1), heard(2)])
    index.add("mute", [])
    assert len(index.read("atlas")) == 2
    assert index.read("mute") == index.read("unknown") == ()
    assert index.load().titles == ("atlas", "atlas")


def test_the_table_is_made_once_and_mapped(tmp_path: Path) -> None:
    index = SoundIndex(tmp_path)
    index.add("atlas", [heard(1)])
    made, mapped = index.load(), SoundIndex(tmp_path).load()
    assert isinstance(mapped.entries, np.memmap)
    assert np.array_equal(made.entries, mapped.entries) and np.array_equal(made.times, mapped.times)
    assert (made.titles, made.seconds) == (mapped.titles, mapped.seconds)


def test_the_table_follows_the_titles(tmp_path: Path) -> None:
    index = SoundIndex(tmp_path)
    index.add("atlas", [heard(1)])
    before = index.load()
    index.add("rif", [heard(2)])
    assert index.load().titles == ("atlas", "rif")
    index.add("rif", [heard(3)])
    assert not np.array_equal(index.load().times, np.concatenate([before.times, heard(2).times]))
    index.remove("rif")
    assert index.load().titles == ("atlas",)
    assert len(list(tmp_path.glob("*table-*"))) == 1


def test_a_lookup_finds_every_entry_of_a_code(tmp_path: Path) -> None:
    index = SoundIndex(tmp_path)
    index.add("atlas", [heard(1)])
    found = index.load()
    codes = np.unique((found.entries >> np.uint64(40)).astype(np.uint32))
    which, rows, spreads = found.lookup(codes[::-1].copy())
    assert len(rows) == len(found.entries) > 20
    assert set(which) == set(range(len(codes)))
    assert (spreads > 0).all() and rows.max() < len(found.times)


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    index = SoundIndex(tmp_path)
    index.add("atlas", [heard(1)])
    path = tmp_path / "atlas.mfa"
    content = bytearray(path.read_bytes())
    content[60] ^= 1
    path.write_bytes(content)
    with pytest.raises(StoreError, match="checksum disagrees"):
        index.read("atlas")
    path.write_bytes(b"nothing")
    with pytest.raises(StoreError, match=r"atlas\.mfa.*is no fingerprint of sound"):
        index.load()


def test_a_title_is_taken_over_or_forgotten_with_its_release(tmp_path: Path) -> None:
    mine, other = SoundIndex(tmp_path / "mine"), SoundIndex(tmp_path / "other")
    other.add("atlas", [heard(1)])
    mine.adopt("atlas", other)
    assert len(mine.read("atlas")) == 1
    other.remove("atlas")
    mine.adopt("atlas", other)
    assert mine.titles() == ()


def test_an_index_that_cannot_be_written_is_still_searched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index = SoundIndex(tmp_path)
    index.add("atlas", [heard(1)])

    def refuse(*_: object, **__: object) -> str:
        raise PermissionError

    monkeypatch.setattr("tempfile.mkdtemp", refuse)
    assert index.load().titles == ("atlas",)
    assert not list(tmp_path.glob("table-*"))
