"""What a child process may do: its resources, its network, its life. Set between fork and exec."""

import ctypes
import os
import resource
import signal
from collections.abc import Callable
from dataclasses import dataclass

_CLONE_NEWUSER = 0x10000000
_CLONE_NEWNET = 0x40000000
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a child may use; None leaves a resource unlimited."""

    cpu_seconds: int | None = None
    memory_bytes: int | None = None
    file_bytes: int | None = None
    network: bool = False


OFFLINE = Limits()  # the usual: no network, nothing else limited


def confined(limits: Limits, parent: int) -> Callable[[], None]:
    """What the child does between fork and exec: system calls prepared here, so no lock of another thread can hold it."""
    die = die_with_parent(parent)
    libc = ctypes.CDLL(None, use_errno=True)
    # Without root a network namespace needs a user namespace around it. Where neither is allowed the child runs with the
    # host's network: `doctor` says so, and the protocol whitelists still stand.
    flags = _CLONE_NEWNET if os.geteuid() == 0 else _CLONE_NEWUSER | _CLONE_NEWNET

    def confine() -> None:
        die()
        for kind, value in (
            (resource.RLIMIT_CPU, limits.cpu_seconds),
            (resource.RLIMIT_AS, limits.memory_bytes),
            (resource.RLIMIT_FSIZE, limits.file_bytes),
        ):
            if value is not None:
                resource.setrlimit(kind, (value, value))
        if not limits.network:
            libc.unshare(flags)

    return confine


def die_with_parent(parent: int) -> Callable[[], None]:
    """What lets a child end when `parent` does, however that ends."""
    libc = ctypes.CDLL(None, use_errno=True)

    def arm() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died between fork and prctl
            os._exit(1)

    return arm
