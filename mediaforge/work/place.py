"""Where the embedded queue server may live: a local disk for its files, a private folder with a short name for its socket."""

import hashlib
import os
import stat
from pathlib import Path
from tempfile import gettempdir

from mediaforge.errors import QueueError

SOCKET_BYTES = 100  # sun_path holds 108 on Linux and 104 on macOS, its closing zero included

# Where flock or a unix socket is not what it seems, or an fsync does not reach the disk.
REMOTE = ("nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "ncpfs", "fuse.sshfs", "fuse.s3fs", "fuse.rclone")


def queue_folder(state: Path) -> Path:
    """The private folder of the queue's files. Raises QueueError where this disk cannot carry a queue."""
    kind = filesystem(state)
    if kind in REMOTE:
        raise QueueError(f"{state} lies on {kind}, where locks cannot be trusted; put --state on a local disk")
    folder = state / "queue"
    _make_private(folder)
    return folder


def socket_path(state: Path, runtime_dir: Path) -> Path:
    """A short path for this state's socket: the name of the state may be of any length, a socket's may not."""
    name = f"queue-{hashlib.sha256(os.fsencode(state.resolve())).hexdigest()[:16]}.sock"
    for folder in (runtime_dir, Path(gettempdir()) / f"mediaforge-{os.getuid()}"):
        path = folder / name
        if len(os.fsencode(path)) <= SOCKET_BYTES:
            _make_private(folder)
            return path
    raise QueueError(f"{gettempdir()} is too long a name for a socket; set MEDIAFORGE_RUNTIME_DIR to a short folder")


def filesystem(path: Path) -> str:
    """The kind of disk under a path that need not exist yet (`ext4`, `nfs4`); "" where the system does not say."""
    try:
        mounts = Path("/proc/self/mountinfo").read_text(errors="replace").splitlines()
    except OSError:
        return ""
    place = path.resolve()
    kinds: dict[str, str] = {}
    for line in mounts:
        before, _, after = line.partition(" - ")
        kinds[before.split()[4].encode().decode("unicode_escape")] = after.split()[0]  # the last mount on a point wins
    return next((kinds[str(folder)] for folder in (place, *place.parents) if str(folder) in kinds), "")


def _make_private(folder: Path) -> None:
    """Make the folder ours alone. In a shared place such as /tmp someone else may have made it first: then we refuse."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        facts = folder.lstat()
        if not stat.S_ISDIR(facts.st_mode) or facts.st_uid != os.geteuid():
            raise QueueError(f"{folder} belongs to someone else; set MEDIAFORGE_RUNTIME_DIR to a folder of yours")
        if stat.S_IMODE(facts.st_mode) != 0o700:
            folder.chmod(0o700)
    except OSError as error:
        raise QueueError(f"{folder} cannot be used ({error.strerror}); mend its permissions or choose another") from error
