"""Content keys and the store they rest in: wrapped by AES-GCM (NIST SP 800-38D), derived by HKDF-SHA256 (RFC 5869).

    kek.key     the key-encryption key: 32 random bytes, 0600, opens everything else; keep it apart from backups
    keys.json   the seed and every content key, each wrapped by the key-encryption key, bound to kid|title|label

Content keys come from the seed, so an equal store gives an equal package; the store writes them down all the same,
because what was published must stay readable even if the derivation changes one day.
"""

import contextlib
import fcntl
import os
import stat
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from mediaforge.errors import KeyStoreError, UnknownId

KEY_BYTES = 16
SEED_BYTES = 32
NONCE_BYTES = 12  # SP 800-38D 5.2.1.1: 96 bits, random for every wrapping
GENERATION = "1"  # part of every derivation: a title that must get new keys gets a new generation


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
class KeyRecord:
    """What may be shown of a key. `order` counts from 0 in the order of creation."""

    kid: bytes
    title: str
    label: str
    order: int


def stream_iv(key: ContentKey, *context: str) -> bytes:
    """The 8-byte initial IV of one cenc stream, told apart by `context`.

    In cenc every sample counts up from its stream's IV, so two streams under one key must start far apart, or their
    key streams repeat (a two-time pad). `context` therefore names the rung, the variant and the content itself: the same
    input gives the same package again, and another input never shares a key stream with it.
    """
    return _hkdf(key.key, 8, "cenc iv", key.kid.hex(), *context)


class KeyStore:
    """The keys of one state, under `folder`. Safe for several processes at once and against being killed at any time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def content_keys(self, title: str, labels: tuple[str, ...]) -> tuple[ContentKey, ...]:
        """The keys of a title in the order of `labels`, made now where they do not exist yet. Raises KeyStoreError."""
        with self._locked():
            kek, content = self._opened()
            seed = _unwrap(kek, content.seed, b"seed", self._file)
            known = {(row.title, row.label): row for row in content.keys}
            made = [_derived(seed, title, label) for label in labels if (title, label) not in known]
            if made:
                rows = tuple(_wrapped(kek, key) for key in made)
                content = _Content(seed=content.seed, keys=content.keys + rows)
                self._write(self._file, msgspec.json.format(msgspec.json.encode(content)))
                known |= {(row.title, row.label): row for row in rows}
            return tuple(_revealed(kek, known[title, label], self._file) for label in labels)

    def keys(self) -> tuple[KeyRecord, ...]:
        """What keys there are, in the order of creation; none where the store was never used."""
        if not self._file.exists():
            return ()
        rows = self._read().keys
        return tuple(KeyRecord(kid=row.kid, title=row.title, label=row.label, order=order) for order, row in enumerate(rows))

    def reveal(self, kid: bytes) -> ContentKey:
        """The key itself. Raises UnknownId or KeyStoreError."""
        row = next((row for row in self._read().keys if row.kid == kid), None) if self._file.exists() else None
        if row is None:
            raise UnknownId("key", kid.hex(), "`key list` names those it holds")
        return _revealed(self._kek(), row, self._file)

    def derive(self, purpose: str, *context: str) -> bytes:
        """32 secret bytes for another use than encryption, always the same for the same words."""
        with self._locked():
            kek, content = self._opened()
        return _hkdf(_unwrap(kek, content.seed, b"seed", self._file), SEED_BYTES, "derive", purpose, *context)

    @property
    def _file(self) -> Path:
        return self.folder / "keys.json"

    @property
    def _kek_file(self) -> Path:
        return self.folder / "kek.key"

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise KeyStoreError(f"{self.folder} cannot be written ({error.strerror}); check its permissions") from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def _opened(self) -> "tuple[bytes, _Content]":
        """The key-encryption key and the content, both made where the store is new. Only under the lock."""
        if not self._file.exists():
            # The key-encryption key first: a store killed in between has one that opens nothing yet, which is no harm.
            if not self._kek_file.exists():
                self._write(self._kek_file, os.urandom(SEED_BYTES))
            seed = _wrap(self._kek(), os.urandom(SEED_BYTES), b"seed")
            self._write(self._file, msgspec.json.format(msgspec.json.encode(_Content(seed=seed, keys=()))))
        return self._kek(), self._read()

    def _kek(self) -> bytes:
        try:
            mode = stat.S_IMODE(self._kek_file.stat().st_mode)
            kek = self._kek_file.read_bytes()
        except FileNotFoundError as error:
            raise KeyStoreError(
                f"{self._kek_file} is gone; without it no key can be read: put it back from its backup"
            ) from error
        except OSError as error:
            raise KeyStoreError(f"{self._kek_file} cannot be read ({error.strerror}); check its permissions") from error
        if mode & 0o077:
            raise KeyStoreError(f"{self._kek_file} can be read by others (mode {mode:04o}); `chmod 600` it")
        if len(kek) != SEED_BYTES:
            raise KeyStoreError(f"{self._kek_file} holds {len(kek)} bytes, not {SEED_BYTES}; put it back from its backup")
        return kek

    def _read(self) -> "_Content":
        try:
            return msgspec.json.decode(self._file.read_bytes(), type=_Content)
        except OSError as error:
            raise KeyStoreError(f"{self._file} cannot be read ({error.strerror}); check its permissions") from error
        except (msgspec.MsgspecError, ValueError) as error:
            raise KeyStoreError(f"{self._file} is damaged ({error}); put it back from its backup") from error

    def _write(self, path: Path, content: bytes) -> None:
        """Whole or not at all, and never readable by others, not even as a draft. Only under the lock."""
        draft = path.with_name(f".{path.name}.draft")
        try:
            draft.unlink(missing_ok=True)
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
            handle = os.open(self.folder, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)
        except OSError as error:
            raise KeyStoreError(f"{path} cannot be written ({error.strerror}); free space or mend its permissions") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wrapped:
    nonce: bytes
    sealed: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    kid: bytes
    title: str
    label: str
    wrapped: _Wrapped


@dataclass(frozen=True, slots=True, kw_only=True)
class _Content:
    seed: _Wrapped
    keys: tuple[_Row, ...]


def _derived(seed: bytes, title: str, label: str) -> ContentKey:
    context = (title, label, GENERATION)
    return ContentKey(
        # A KID is a UUID to licence servers and in the MPD; version 4 is what all of them take.
        kid=uuid.UUID(bytes=_hkdf(seed, KEY_BYTES, "kid", *context), version=4).bytes,
        key=_hkdf(seed, KEY_BYTES, "key", *context),
        iv=_hkdf(seed, KEY_BYTES, "iv", *context),
        label=label,
        title=title,
    )


def _hkdf(secret: bytes, length: int, *context: str) -> bytes:
    # Each word carries its length, so that ("ab", "c") and ("a", "bc") are two contexts.
    words = [word.encode() for word in ("mediaforge", *context)]
    info = b"".join(len(word).to_bytes(4, "big") + word for word in words)
    return HKDF(algorithm=SHA256(), length=length, salt=None, info=info).derive(secret)


def _wrapped(kek: bytes, key: ContentKey) -> _Row:
    wrapped = _wrap(kek, key.key + key.iv, _binding(key.kid, key.title, key.label))
    return _Row(kid=key.kid, title=key.title, label=key.label, wrapped=wrapped)


def _revealed(kek: bytes, row: _Row, file: Path) -> ContentKey:
    secret = _unwrap(kek, row.wrapped, _binding(row.kid, row.title, row.label), file)
    return ContentKey(kid=row.kid, key=secret[:KEY_BYTES], iv=secret[KEY_BYTES:], label=row.label, title=row.title)


def _binding(kid: bytes, title: str, label: str) -> bytes:
    return f"{kid.hex()}|{title}|{label}".encode()


def _wrap(kek: bytes, secret: bytes, binding: bytes) -> _Wrapped:
    nonce = os.urandom(NONCE_BYTES)
    return _Wrapped(nonce=nonce, sealed=AESGCM(kek).encrypt(nonce, secret, binding))


def _unwrap(kek: bytes, wrapped: _Wrapped, binding: bytes, file: Path) -> bytes:
    try:
        return AESGCM(kek).decrypt(wrapped.nonce, wrapped.sealed, binding)
    except (InvalidTag, ValueError) as error:
        what = "the seed" if binding == b"seed" else f"key {binding.decode().split('|')[0]}"
        raise KeyStoreError(
            f"{what} in {file} does not open: the file was changed, or {file.with_name('kek.key')} is not the one it was "
            "wrapped with; put both back from one backup"
        ) from error
