"""A folder as its names and the SHA-256 of each file: what two packages are compared by."""

from pathlib import Path

from mediaforge.steps import digest_file


def tree(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): digest_file(path) for path in sorted(folder.rglob("*")) if path.is_file()}
