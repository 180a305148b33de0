"""Content keys and the store they come from: derived from one seed, or brought in from a key server; never the same twice.

Content keys come from the seed, so an equal store gives an equal package; the store writes them down all the same,
because what was published must stay readable even if the derivation changes one day. How they rest on the disk is told
in keyfile.py, what may never be repeated in ledger.py.
"""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

from mediaforge.errors import KeyStoreError, UnknownId
from mediaforge.package.derive import derived
from mediaforge.package.keyfile import SEED_BINDING, Content, Kek, KeyFiles, Row, Wrapped
from mediaforge.package.ledger import Issued, IvUse, Ledger, latest_generations

KEY_BYTES = 16
SECRET_BYTES = 32

# What a licence server may bind to different rules: sound, and pictures by their size (shaka-packager's labels).
LABELS = ("AUDIO", "SD", "HD", "UHD1", "UHD2")


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentKey:
    """What one label of a title is encrypted with. `iv` is the constant IV of cbcs; cenc derives its own (`stream_iv`)."""

    kid: bytes
    key: bytes
    iv: bytes
    label: str
    title: str

    def __post_init__(self) -> None:
        for name, value in (("KID", self.kid), ("key", self.key), ("IV", self.iv)):
            if len(value) != KEY_BYTES:
                raise KeyStoreError(f"the {name} of {self.label!r} has {len(value)} bytes; it takes {KEY_BYTES}")

    def __repr__(self) -> str:
        return f"ContentKey(kid={self.kid.hex()}, label={self.label!r}, title={self.title!r}, key=***, iv=***)"


@dataclass(frozen=True, slots=True, kw_only=True)
class OutsideKey:
    """A content key that somebody else made. `iv` None: they named none, and the store derives one."""

    kid: bytes
    key: bytes
    label: str
    iv: bytes | None = None

    def __post_init__(self) -> None:
        for name, value in (("KID", self.kid), ("key", self.key), ("IV", self.iv)):
            if value is not None and len(value) != KEY_BYTES:
                raise KeyStoreError(f"the {name} for {self.label!r} has {len(value)} bytes; it takes {KEY_BYTES}")

    def __repr__(self) -> str:
        return f"OutsideKey(kid={self.kid.hex()}, label={self.label!r}, key=***, iv=***)"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRecord:
    """What may be shown of a key. `order` counts from 0 in the order of creation; `origin` is `seed` or who brought it."""

    kid: bytes
    title: str
    label: str
    order: int
    generation: int
    origin: str
    current: bool


def stream_iv(key: ContentKey, *context: str) -> bytes:
    """The 8-byte initial IV of one cenc stream, told apart by `context`.

    In cenc every sample counts up from its stream's IV, so two streams under one key must start far apart, or their
    key streams repeat (a two-time pad). `context` therefore names the rung, the variant and the content itself: the same
    input gives the same package again, and another input never shares a key stream with it.
    """
    return derived(key.key, 8, "cenc iv", key.kid.hex(), *context)


class KeyStore:
    """The keys of one state, under `folder`. Safe for several processes at once and against being killed at any time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._files = KeyFiles(folder)
        self._ledger = Ledger(folder)

    def content_keys(self, title: str, labels: tuple[str, ...]) -> tuple[ContentKey, ...]:
        """The title's present keys in the order of `labels`, made now where they do not exist yet. Raises KeyStoreError."""
        _check_labels(labels)
        with self._files.locked():
            kek, content = self._files.open()
            present = {row.label: row for row in _present(content.keys, title)}
            missing = tuple(label for label in labels if label not in present)
            if missing:
                outside = next((row for row in present.values() if row.origin != "seed"), None)
                if outside is not None:
                    raise KeyStoreError(
                        f"the keys of {title} came from outside ({outside.origin}) without one for {missing[0]}; "
                        "get it there too, or `key rekey` the title"
                    )
                generation = next(iter(present.values())).generation if present else self._after_last(title)
                keys = _derived_keys(kek, content, title, missing, generation)
                rows = self._keep(kek, content, keys, generation=generation, origin="seed")
                present |= {row.label: row for row in rows}
            return tuple(_revealed(kek, present[label]) for label in labels)

    def rekey(self, title: str) -> tuple[ContentKey, ...]:
        """New KIDs, keys and IVs for every label that the title has; those it had stay readable. Raises UnknownId."""
        with self._files.locked():
            if not self._files.exist():
                raise _unknown_title(title)
            kek, content = self._files.open()
            present = _present(content.keys, title)
            if not present:
                raise _unknown_title(title)
            generation = present[0].generation + 1
            keys = _derived_keys(kek, content, title, tuple(row.label for row in present), generation)
            self._keep(kek, content, keys, generation=generation, origin="seed")
            return keys

    def admit(self, title: str, keys: tuple[OutsideKey, ...], *, origin: str) -> tuple[ContentKey, ...]:
        """Take in the keys of a title that a key server made; they become its present ones. The same again changes nothing.

        Raises KeyStoreError where a KID was ever another's, or is known with another key.
        """
        _check_labels(tuple(key.label for key in keys))
        with self._files.locked():
            kek, content = self._files.open()
            seed = kek.unwrap(content.seed, SEED_BINDING)
            wanted = tuple(_complete(seed, title, key) for key in keys)
            present = {row.label: row for row in _present(content.keys, title)}
            new = tuple(key for key in wanted if key.label not in present or _revealed(kek, present[key.label]) != key)
            if not new:
                return wanted
            self._refuse_held(content, new)
            clash = next((key.label for key in new if key.label in present), None)
            former = next(iter(present.values()), None)
            if former is not None and former.origin == origin and clash is None:
                generation = former.generation  # more labels for a title whose other keys came from there before
            elif len(new) == len(wanted):
                generation = (self._after_last(title) - 1 if former is None else former.generation) + 1
            else:
                raise KeyStoreError(
                    f"some of these keys are those that {title} has and that for {clash or new[0].label} is another; "
                    "bring in a whole new set"
                )
            self._keep(kek, content, new, generation=generation, origin=origin)
            return wanted

    def proposed_kids(self, title: str, labels: tuple[str, ...], *, origin: str) -> tuple[bytes, ...]:
        """The KIDs to ask a key server for: those that the title has from there, else new ones; the same at every asking."""
        _check_labels(labels)
        with self._files.locked():
            kek, content = self._files.open()
            seed = kek.unwrap(content.seed, SEED_BINDING)
            rows = _present(content.keys, title)
            present = {row.label: row.kid for row in rows if row.origin == origin}
            generation = str((rows[0].generation if rows else self._after_last(title) - 1) + (0 if present else 1))
            return tuple(present.get(label) or _kid(seed, "outside kid", title, label, generation) for label in labels)

    def forget(self, title: str, generation: int) -> int:
        """Remove the keys of a generation that is no longer the present one; how many. Their KIDs stay in the ledger."""
        with self._files.locked():
            rows = self._files.read().keys if self._files.exist() else ()
            present = _present(rows, title)
            if not present:
                raise _unknown_title(title)
            if present[0].generation == generation:
                raise KeyStoreError(f"generation {generation} of {title} is the present one; `key rekey` it first")
            _, content = self._files.open()
            kept = tuple(row for row in rows if (row.title, row.generation) != (title, generation))
            if len(kept) == len(rows):
                raise UnknownId("generation", str(generation), f"`key list` names those of {title}")
            self._ledger.issue((), known=map(_issued, rows))  # a store older than its ledger must not forget these KIDs
            self._files.save(Content(seed=content.seed, keys=kept, kek=content.kek))
            return len(rows) - len(kept)

    def rotate(self) -> int:
        """Wrap everything under a new key-encryption key; how many content keys. The old one opens nothing afterwards."""
        with self._files.locked():
            if not self._files.exist():
                raise KeyStoreError(f"{self.folder} holds no keys yet; there is nothing to rotate")
            return self._files.rotate()

    def spend_ivs(self, uses: tuple[IvUse, ...]) -> None:
        """Write down which cenc counters streams use. Raises KeyStoreError where one would serve two contents."""
        with self._files.locked():
            self._ledger.spend(uses)

    def keys(self) -> tuple[KeyRecord, ...]:
        """What keys there are, in the order of creation; none where the store was never used."""
        if not self._files.exist():
            return ()
        rows = self._files.read().keys
        latest = latest_generations(map(_issued, rows))
        return tuple(
            KeyRecord(
                kid=row.kid,
                title=row.title,
                label=row.label,
                order=order,
                generation=row.generation,
                origin=row.origin,
                current=row.generation == latest[row.title],
            )
            for order, row in enumerate(rows)
        )

    def present_keys(self, title: str) -> tuple[ContentKey, ...]:
        """The keys that a title is packaged with now, in the order of creation. Raises UnknownId."""
        if not self._files.exist():
            raise _unknown_title(title)
        with self._files.locked():
            kek, content = self._files.open()
            rows = _present(content.keys, title)
            if not rows:
                raise _unknown_title(title)
            return tuple(_revealed(kek, row) for row in rows)

    def reveal(self, kid: bytes) -> ContentKey:
        """The key itself. Raises UnknownId or KeyStoreError."""
        if self._files.exist():
            with self._files.locked():
                kek, content = self._files.open()
                row = next((row for row in content.keys if row.kid == kid), None)
                if row is not None:
                    return _revealed(kek, row)
        raise UnknownId("key", kid.hex(), "`key list` names those it holds")

    def derive(self, purpose: str, *context: str) -> bytes:
        """32 secret bytes for another use than encryption, always the same for the same words."""
        with self._files.locked():
            kek, content = self._files.open()
        return derived(kek.unwrap(content.seed, SEED_BINDING), SECRET_BYTES, "derive", purpose, *context)

    def _refuse_held(self, content: Content, keys: Iterable[ContentKey]) -> None:
        held = {row.kid for row in content.keys}
        again = next((key for key in keys if key.kid in held), None)
        if again is not None:
            raise KeyStoreError(
                f"is in the store already, and not as the present {again.label} key of {again.title} with the same key and IV; "
                "have the key source make new keys",
                kid=again.kid.hex(),
            )

    def _keep(self, kek: Kek, content: Content, keys: Iterable[ContentKey], *, generation: int, origin: str) -> tuple[Row, ...]:
        """The ledger first: killed in between, a KID is spent that was never used, which is no harm."""
        rows = tuple(_wrapped(kek, key, generation=generation, origin=origin) for key in keys)
        self._ledger.issue(map(_issued, rows), known=map(_issued, content.keys))
        self._files.save(Content(seed=content.seed, keys=content.keys + rows, kek=kek.name))
        return rows

    def _after_last(self, title: str) -> int:
        """The generation that a title without keys gets: never one that it had and that was forgotten."""
        return latest_generations(row for row in self._ledger.issued() if row.title == title).get(title, 0) + 1


def _check_labels(labels: tuple[str, ...]) -> None:
    odd = next((label for label in labels if label not in LABELS), None)
    if odd is not None:
        raise KeyStoreError(f"there is no label {odd!r}; choose from {', '.join(LABELS)}")
    if len(set(labels)) != len(labels):
        raise KeyStoreError(f"a label is named twice in {', '.join(labels)}; give one key for each")


def _present(rows: tuple[Row, ...], title: str) -> tuple[Row, ...]:
    """The rows of the title's highest generation."""
    own = sorted((row for row in rows if row.title == title), key=lambda row: -row.generation)  # stable: creation stays
    return next((tuple(group) for _, group in groupby(own, key=lambda row: row.generation)), ())


def _derived_keys(kek: Kek, content: Content, title: str, labels: tuple[str, ...], generation: int) -> tuple[ContentKey, ...]:
    seed = kek.unwrap(content.seed, SEED_BINDING)
    return tuple(_derived(seed, title, label, generation) for label in labels)


def _derived(seed: bytes, title: str, label: str, generation: int) -> ContentKey:
    context = (title, label, str(generation))
    return ContentKey(
        kid=_kid(seed, "kid", *context),
        key=derived(seed, KEY_BYTES, "key", *context),
        iv=derived(seed, KEY_BYTES, "iv", *context),
        label=label,
        title=title,
    )


def _kid(seed: bytes, *context: str) -> bytes:
    """A KID is a UUID to licence servers and in the MPD; version 4 is what all of them take."""
    return uuid.UUID(bytes=derived(seed, KEY_BYTES, *context), version=4).bytes


def _complete(seed: bytes, title: str, key: OutsideKey) -> ContentKey:
    iv = derived(seed, KEY_BYTES, "outside iv", key.kid.hex()) if key.iv is None else key.iv
    return ContentKey(kid=key.kid, key=key.key, iv=iv, label=key.label, title=title)


def _wrapped(kek: Kek, key: ContentKey, *, generation: int, origin: str) -> Row:
    unsealed = Wrapped(nonce=b"", sealed=b"")
    row = Row(kid=key.kid, title=key.title, label=key.label, wrapped=unsealed, generation=generation, origin=origin)
    return replace(row, wrapped=kek.wrap(key.key + key.iv, row.binding))


def _revealed(kek: Kek, row: Row) -> ContentKey:
    secret = kek.unwrap(row.wrapped, row.binding)
    return ContentKey(kid=row.kid, key=secret[:KEY_BYTES], iv=secret[KEY_BYTES:], label=row.label, title=row.title)


def _issued(row: Row) -> Issued:
    return Issued(kid=row.kid, title=row.title, label=row.label, generation=row.generation)


def _unknown_title(title: str) -> UnknownId:
    return UnknownId("key of title", title, "`key list` names the titles that have some")
