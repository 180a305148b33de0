"""Quality control of a master: looked at once, judged."""

from collections.abc import Callable
from dataclasses import dataclass

from mediaforge.media import Master
from mediaforge.tools import Tools
from mediaforge.transcode.qc.finding import USUAL, Finding, QcLimits, Severity
from mediaforge.transcode.qc.judging import judge
from mediaforge.transcode.qc.looking import look


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What was found in a master of so many seconds of picture; `sound`: whether it had any to listen to."""

    seconds: float
    sound: bool
    findings: tuple[Finding, ...]

    @property
    def errors(self) -> tuple[Finding, ...]:
        return tuple(one for one in self.findings if one.severity is Severity.ERROR)


def control(
    master: Master, *, tools: Tools, limits: QcLimits = USUAL, on_progress: Callable[[float], None] = lambda _: None
) -> Verdict:
    """Look at a master's picture and first sound track in one decode. Raises MediaError, ToolError."""
    seen = look(master, limits, tools=tools, on_progress=on_progress)
    assert master.video is not None  # look has refused it else
    return Verdict(seconds=seen.seconds, sound=seen.sound is not None, findings=judge(seen, master.video, limits))
