"""A store in a local folder."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from mediaforge.store.disk import disk_errors, written_whole
from mediaforge.store.interface import checked_name


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalFolder:
    root: Path

    def put(self, file: Path, name: str) -> None:
        target = self._path(name)
        with disk_errors(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            with written_whole(target) as temporary:
                shutil.copyfile(file, temporary)

    def get(self, name: str, to: Path) -> None:
        source = self._path(name)
        with disk_errors(source), written_whole(to) as temporary:
            shutil.copyfile(source, temporary)

    def read(self, name: str) -> bytes:
        path = self._path(name)
        with disk_errors(path):
            return path.read_bytes()

    def names(self, prefix: str = "") -> tuple[str, ...]:
        with disk_errors(self.root):
            files = (path.relative_to(self.root) for path in self.root.rglob("*") if path.is_file())
            shown = (file.as_posix() for file in files if not any(part.startswith(".") for part in file.parts))
            return tuple(sorted(name for name in shown if name.startswith(prefix)))

    def size(self, name: str) -> int | None:
        path = self._path(name)
        with disk_errors(path):
            return path.stat().st_size if path.is_file() else None

    def delete(self, name: str) -> None:
        path = self._path(name)
        with disk_errors(path):
            path.unlink(missing_ok=True)

    def _path(self, name: str) -> Path:
        return self.root / checked_name(name, self.root)
