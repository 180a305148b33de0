"""A package in a bucket, for an edge: a file is fetched when it is first asked for, and kept on this disk for a while."""

import os
import threading
import zlib
from collections import OrderedDict
from pathlib import Path

from mediaforge.errors import StoreError
from mediaforge.store import Store


class BucketCache:
    """`folder` holds what was asked for last, about `most_bytes` of it. Of threads that ask at once, one fetches.

    `stamped`: the bytes that tell one release of the title from another. Files get a date made of them, so that a file has the
    same date, and a viewer's player the same ETag, whenever it is fetched.
    """

    def __init__(self, store: Store, folder: Path, *, most_bytes: int, stamped: bytes) -> None:
        self.folder = folder
        self._store = store
        self._most_bytes = most_bytes
        self._date = zlib.crc32(stamped)
        self._sizes: OrderedDict[str, int] = OrderedDict()  # the last one asked for at the end
        self._waiting: dict[str, threading.Lock] = {}
        self._guard = threading.Lock()

    def fetch(self, name: str) -> None:
        """See that `name` lies in the folder, if the bucket has it. Raises StoreError where the bucket is out of reach."""
        with self._guard:
            if name in self._sizes:
                self._sizes.move_to_end(name)
                return
            lock = self._waiting.setdefault(name, threading.Lock())
        with lock:
            if name not in self._sizes and self._got(name):
                self._keep(name)
        with self._guard:
            self._waiting.pop(name, None)

    def _got(self, name: str) -> bool:
        path = self.folder / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._store.get(name, path)
            os.utime(path, (self._date, self._date))
        except OSError as error:
            raise StoreError(path, f"cannot be written ({error.strerror}); free space") from error
        except StoreError:
            if self._store.size(name) is None:
                return False
            raise
        return True

    def _keep(self, name: str) -> None:
        with self._guard:
            self._sizes[name] = (self.folder / name).stat().st_size
            while sum(self._sizes.values()) > self._most_bytes and len(self._sizes) > 1:
                oldest, _ = self._sizes.popitem(last=False)
                (self.folder / oldest).unlink(missing_ok=True)  # whoever is being given it keeps it open
