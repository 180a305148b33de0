"""Files that hold a secret of the operator's: refused where others can read them, and never quoted."""

import os
import stat
from pathlib import Path

from mediaforge.errors import SettingsError

MOST_SECRET_BYTES = 100_000  # a PEM file with a chain of certificates has a tenth of this


def read_secret_file(path: Path) -> bytes:
    """The content of a file that nobody else may read. Raises SettingsError."""
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            content = file.read(MOST_SECRET_BYTES + 1)
    except OSError as error:
        raise SettingsError(f"{path} cannot be read ({error.strerror}); name another file") from error
    if mode & 0o077:
        raise SettingsError(f"{path} holds a secret and can be read by others (mode {mode:04o}); `chmod 600` it")
    if len(content) > MOST_SECRET_BYTES:
        raise SettingsError(f"{path} is longer than {MOST_SECRET_BYTES} bytes; name the file that holds the secret alone")
    return content
