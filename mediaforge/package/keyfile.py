"""The files that a key store rests in: keys wrapped by AES-GCM (NIST SP 800-38D) under one key-encryption key.

    kek.key        the key-encryption key: 32 random bytes, 0600, opens everything else; keep it apart from backups
    kek.key.next   only while it is replaced: the one that keys.json is being wrapped with
    keys.json      the seed and every content key, each wrapped, bound to kid|title|label|generation

A rotation writes kek.key.next, then keys.json, which names the key-encryption key that opens it, then renames
kek.key.next. Whatever a kill leaves of this, one of the two opens keys.json, and the next opening tidies up.
"""

import contextlib
import fcntl
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from mediaforge.errors import KeyStoreError
from mediaforge.package.derive import derived
from mediaforge.package.safefile import move_file, replace_file, sync_folder

KEK_BYTES = 32
NONCE_BYTES = 12  # SP 800-38D 5.2.1.1: 96 bits, random for every wrapping
SEED_BINDING = b"seed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrapped:
    nonce: bytes
    sealed: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A wrapped content key. What has a default was not written by the first version of the store."""

    kid: bytes
    title: str
    label: str
    wrapped: Wrapped
    generation: int = 1
    origin: str = "seed"

    @property
    def binding(self) -> bytes:
        """What the wrapping holds fast, so that no row can be passed off as another's or as a newer one."""
        words = [self.kid.hex(), self.title, self.label]
        return "|".join(words if self.generation == 1 else [*words, str(self.generation)]).encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """`kek` names the key-encryption key without telling it; empty in files of the first version."""

    seed: Wrapped
    keys: tuple[Row, ...]
    kek: str = ""


class Kek:
    """An open key-encryption key."""

    def __init__(self, secret: bytes, file: Path) -> None:
        self._cipher = AESGCM(secret)
        self._file = file
        self.name = derived(secret, 8, "kek name").hex()

    def wrap(self, secret: bytes, binding: bytes) -> Wrapped:
        nonce = os.urandom(NONCE_BYTES)
        return Wrapped(nonce=nonce, sealed=self._cipher.encrypt(nonce, secret, binding))

    def unwrap(self, wrapped: Wrapped, binding: bytes) -> bytes:
        try:
            return self._cipher.decrypt(wrapped.nonce, wrapped.sealed, binding)
        except (InvalidTag, ValueError) as error:
            what = "the seed" if binding == SEED_BINDING else f"key {binding.decode().split('|')[0]}"
            raise _foreign(what, self._file) from error


class KeyFiles:
    """The files under `folder`. All but `read` only inside of `locked`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.content_file = folder / "keys.json"
        self._kek_file = folder / "kek.key"
        self._next_file = folder / "kek.key.next"

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
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

    def exist(self) -> bool:
        return self.content_file.exists()

    def read(self) -> Content:
        """What rests in keys.json, still wrapped."""
        try:
            return msgspec.json.decode(self.content_file.read_bytes(), type=Content)
        except OSError as error:
            raise KeyStoreError(f"{self.content_file} cannot be read ({error.strerror}); check its permissions") from error
        except (msgspec.MsgspecError, ValueError) as error:
            raise KeyStoreError(f"{self.content_file} is damaged ({error}); put it back from its backup") from error

    def open(self) -> tuple[Kek, Content]:
        """The key-encryption key and the content, both made where the store is new."""
        if not self.exist():
            # The key-encryption key first: a store killed in between has one that opens nothing yet, which is no harm.
            if not self._kek_file.exists():
                replace_file(self._kek_file, os.urandom(KEK_BYTES))
            kek = self._kek(self._kek_file)
            self.save(Content(seed=kek.wrap(os.urandom(KEK_BYTES), SEED_BINDING), keys=(), kek=kek.name))
        content = self.read()
        self._settle(content)
        kek = self._kek(self._kek_file)
        if content.kek not in ("", kek.name):
            raise _foreign("every key", self.content_file)
        return kek, content

    def save(self, content: Content) -> None:
        replace_file(self.content_file, msgspec.json.encode(content))

    def rotate(self) -> int:
        """Wrap everything under a new key-encryption key; how many keys there are. A row that does not open stops it."""
        old, content = self.open()
        secret = os.urandom(KEK_BYTES)
        new = Kek(secret, self.content_file)
        rows = tuple(replace(row, wrapped=new.wrap(old.unwrap(row.wrapped, row.binding), row.binding)) for row in content.keys)
        seed = new.wrap(old.unwrap(content.seed, SEED_BINDING), SEED_BINDING)
        replace_file(self._next_file, secret)
        self.save(Content(seed=seed, keys=rows, kek=new.name))  # from here on the new one holds
        self._settle(self.read())
        return len(rows)

    def _settle(self, content: Content) -> None:
        """End a rotation that was killed: finish it if keys.json was written, else forget it."""
        if not self._next_file.exists():
            return
        try:
            if content.kek and self._kek(self._next_file).name == content.kek:
                move_file(self._next_file, self._kek_file)
            else:
                self._next_file.unlink()
                sync_folder(self.folder)
        except OSError as error:
            raise KeyStoreError(f"{self._next_file} cannot be moved ({error.strerror}); mend its permissions") from error

    def _kek(self, file: Path) -> Kek:
        try:
            mode = stat.S_IMODE(file.stat().st_mode)
            secret = file.read_bytes()
        except FileNotFoundError as error:
            raise KeyStoreError(f"{file} is gone; without it no key can be read: put it back from its backup") from error
        except OSError as error:
            raise KeyStoreError(f"{file} cannot be read ({error.strerror}); check its permissions") from error
        if mode & 0o077:
            raise KeyStoreError(f"{file} can be read by others (mode {mode:04o}); `chmod 600` it")
        if len(secret) != KEK_BYTES:
            raise KeyStoreError(f"{file} holds {len(secret)} bytes, not {KEK_BYTES}; put it back from its backup")
        return Kek(secret, self.content_file)


def _foreign(what: str, file: Path) -> KeyStoreError:
    return KeyStoreError(
        f"{what} in {file} does not open: the file was changed, or {file.with_name('kek.key')} is not the one it was wrapped "
        "with; put both back from one backup"
    )
