"""Everything that can go wrong and that a user can do something about.

    MediaforgeError
      SettingsError        a setting is missing or makes no sense            exit 2
      LadderError          a ladder file is wrong                            exit 3
      NetworkError         a network file or a player log is wrong           exit 3
      MediaError           a file is not what it should be                   exit 3
      UnknownId            no such title, recipient, job or key here         exit 3
      CheckError           something that must hold does not                 exit 1
      ToolError            ffmpeg, the packager or another program failed    exit 4
        ToolMissing        ... or is not there at all                        exit 4
      KeyStoreError        keys cannot be read or kept                       exit 4
      KeySourceError       keys from outside cannot be used as they are      exit 3
        KeyServerError     ... or the key server refused or was silent       exit 4
      StoreError           a folder or bucket cannot be read or written      exit 4
      QueueError           the queue is out of reach, or a title is taken    exit 4
      PoisonedStep         a step failed three times in the same way         exit 5

A message is one sentence: what, where, what to do next. Facts are attributes and are never parsed back out of the
text. Anything that is not a MediaforgeError is a bug and shows its traceback (exit 70).
"""

from pathlib import Path
from typing import ClassVar


class MediaforgeError(Exception):
    """The root: one sentence for the user and the exit code of the command line."""

    exit_code: ClassVar[int] = 70
    transient: bool = False

    @property
    def message(self) -> str:
        return str(self)


class SettingsError(MediaforgeError):
    exit_code = 2


class LadderError(MediaforgeError):
    exit_code = 3

    def __init__(self, file: Path | str, what: str, *, rung: int | None = None) -> None:
        place = f"{file}, rung {rung}" if rung is not None else f"{file}"
        super().__init__(f"{place}: {what}")
        self.file = str(file)
        self.rung = rung


class NetworkError(MediaforgeError):
    exit_code = 3

    def __init__(self, file: Path | str, what: str) -> None:
        super().__init__(f"{file}: {what}")
        self.file = str(file)


class MediaError(MediaforgeError):
    exit_code = 3

    def __init__(self, path: Path | str, what: str, *, stream: int | None = None) -> None:
        place = f"{path}, stream {stream}" if stream is not None else f"{path}"
        super().__init__(f"{place}: {what}")
        self.path = str(path)
        self.stream = stream


class UnknownId(MediaforgeError):
    exit_code = 3

    def __init__(self, kind: str, name: str, advice: str) -> None:
        super().__init__(f"there is no {kind} {name!r} in this state; {advice}")
        self.kind = kind
        self.name = name


class CheckError(MediaforgeError):
    exit_code = 1

    def __init__(self, what: str, *, expected: object = None, found: object = None) -> None:
        detail = "" if expected is None and found is None else f": expected {expected}, found {found}"
        super().__init__(what + detail)
        self.expected = expected
        self.found = found


class ToolError(MediaforgeError):
    """A foreign program failed. `tail` holds the last lines it printed, secrets masked."""

    exit_code = 4

    def __init__(
        self,
        tool: str,
        what: str,
        *,
        code: int | None = None,
        tail: str = "",
        argv: tuple[str, ...] = (),
        transient: bool = False,
    ) -> None:
        last = next((line.strip() for line in reversed(tail.splitlines()) if line.strip()), "")
        super().__init__(f"{tool}: {what}" + (f" ({last})" if last else ""))
        self.tool = tool
        self.code = code
        self.tail = tail
        self.argv = argv
        self.transient = transient


class ToolMissing(ToolError):
    """A foreign program is not installed, or a setting points at something that is not there."""


class KeyStoreError(MediaforgeError):
    exit_code = 4

    def __init__(self, what: str, *, kid: str | None = None) -> None:
        super().__init__(f"key {kid}: {what}" if kid else what)
        self.kid = kid


class KeySourceError(MediaforgeError):
    """`source` names a file or a server. No message holds a key, or any of what was read."""

    exit_code = 3

    def __init__(self, source: Path | str, what: str) -> None:
        super().__init__(f"{source}: {what}")
        self.source = str(source)


class KeyServerError(KeySourceError):
    exit_code = 4

    def __init__(self, source: str, what: str, *, transient: bool = False) -> None:
        super().__init__(source, what)
        self.transient = transient


class StoreError(MediaforgeError):
    exit_code = 4

    def __init__(self, uri: Path | str, what: str, *, transient: bool = False) -> None:
        super().__init__(f"{uri}: {what}")
        self.uri = str(uri)
        self.transient = transient


class QueueError(MediaforgeError):
    exit_code = 4


class PoisonedStep(MediaforgeError):
    exit_code = 5

    def __init__(self, step: str, key: str, cause: str) -> None:
        super().__init__(f"step {step} failed three times and is set aside: {cause}; mend the cause, then `job retry {key}`")
        self.step = step
        self.key = key
        self.cause = cause
