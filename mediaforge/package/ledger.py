"""What must never happen twice: a KID given out again, or a cenc counter used again under one key.

Kept for ever and apart from the keys, so that keys which were replaced or forgotten still count:

    kids.jsonl   every KID that ever was, and whose it is
    ivs.jsonl    every run of cenc counters that was used, and what for
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from mediaforge.errors import KeyStoreError
from mediaforge.package.safefile import LineFile

IV_BYTES = 8  # of a cenc stream (ISO/IEC 23001-7, 9.2): the counter block is the IV and the number of the block


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """A KID and whose it is. `generation` counts from 1: how often the title got new keys, and once more."""

    kid: bytes
    title: str
    label: str
    generation: int


@dataclass(frozen=True, slots=True, kw_only=True)
class IvUse:
    """One cenc stream: its samples take the IVs first_iv, first_iv + 1, ... `content` names the bytes encrypted (a digest)."""

    kid: bytes
    first_iv: int
    samples: int
    content: str

    def __post_init__(self) -> None:
        if not (0 <= self.first_iv < 1 << 8 * IV_BYTES and self.samples >= 1):
            raise KeyStoreError(f"an IV has {IV_BYTES} bytes and a stream has samples; this one does not", kid=self.kid.hex())


class Ledger:
    """The two files under `folder`. One writer at a time: whoever holds the lock of the key store."""

    def __init__(self, folder: Path) -> None:
        self._kids = LineFile(folder / "kids.jsonl", Issued)
        self._ivs = LineFile(folder / "ivs.jsonl", IvUse)

    def issued(self) -> tuple[Issued, ...]:
        return self._kids.read()

    def issue(self, wanted: Iterable[Issued], *, known: Iterable[Issued] = ()) -> None:
        """Write down new KIDs. `known` are those that the store holds, should a file be older than the store.

        The same KID for the same title, label and generation is no repeat: it was written down, then killed before it was
        used. Raises KeyStoreError for any other repeat, before anything is written.
        """
        owners = {row.kid: row for row in self.issued()}
        missing = {row.kid: row for row in known if row.kid not in owners}
        new: dict[bytes, Issued] = {}
        for row in wanted:
            owner = new.get(row.kid) or owners.get(row.kid) or missing.get(row.kid)
            if owner is not None and (row.kid in new or owner != row):
                raise KeyStoreError(
                    f"was given to {owner.title}, {owner.label}, generation {owner.generation} and can never be another's; "
                    "have the key source make new keys",
                    kid=row.kid.hex(),
                )
            new[row.kid] = row
        self._kids.add(tuple(row for kid, row in (missing | new).items() if kid not in owners))

    def spend(self, wanted: Iterable[IvUse]) -> None:
        """Write down the counters of cenc streams. Equal content from an equal IV is the same stream made again.

        Raises KeyStoreError where two contents would share a counter under one key: their difference could be read
        without any key.
        """
        by_kid: dict[bytes, list[IvUse]] = {}
        for use in self._ivs.read():
            by_kid.setdefault(use.kid, []).append(use)
        new = []
        for use in wanted:
            uses = by_kid.setdefault(use.kid, [])
            if use in uses:
                continue
            other = next((other for other in uses if _overlap(use, other)), None)
            if other is not None:
                raise KeyStoreError(
                    f"the IVs from {use.first_iv:016x} were used for other content ({other.content[:16]}...); package it under "
                    "new keys (`key rekey`)",
                    kid=use.kid.hex(),
                )
            uses.append(use)
            new.append(use)
        self._ivs.add(tuple(new))


def latest_generations(issued: Iterable[Issued]) -> dict[str, int]:
    """The highest generation that each title ever had."""
    rows = sorted(issued, key=lambda row: row.title)
    return {title: max(row.generation for row in group) for title, group in groupby(rows, key=lambda row: row.title)}


def _overlap(one: IvUse, other: IvUse) -> bool:
    """Counters wrap around after the last: distances are modulo 2^64."""
    around = 1 << 8 * IV_BYTES
    return (other.first_iv - one.first_iv) % around < one.samples or (one.first_iv - other.first_iv) % around < other.samples
