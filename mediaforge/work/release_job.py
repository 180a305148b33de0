"""The only kind of job that may run here. Who can write to the queue must not be able to choose what we execute.

RQ imports a job's function, its callbacks and its webhooks' addresses by what the queue says, even with JSON arguments
(facts-platform 5). Here the queue holds a word; the worker that runs the job decides what the word means.
"""

from collections.abc import Callable, Mapping
from typing import Any

from rq.job import Job

from mediaforge.errors import QueueError


class ReleaseJob(Job):
    """A job whose function is one of `duties`, which its worker hands to it; without them nothing runs."""

    duties: Mapping[str, Callable[..., None]] | None = None

    def perform(self) -> Any:
        refusal = self._refusal()
        if refusal:
            self.retries_left = 0
            raise QueueError(f"job {self.id} is refused: {refusal}; someone else writes to this queue")
        return super().perform()

    @property
    def func(self) -> Callable[..., None] | None:
        return (self.duties or {}).get(str(self.func_name))

    @property
    def success_callback(self) -> None:
        return None

    @property
    def failure_callback(self) -> None:
        return None

    @property
    def stopped_callback(self) -> None:
        return None

    def send_webhooks(self, *args: object, **kwargs: object) -> None:
        """Never: an address from the queue is not ours to call."""

    def _refusal(self) -> str:
        if self.func is None or self.instance is not None:
            return f"{self.func_name!r} is no duty of ours"
        if self._success_callback_name or self._failure_callback_name or self._stopped_callback_name or self.webhooks:
            return "it brings callbacks"
        if self.kwargs or not all(isinstance(argument, str | int) for argument in self.args):
            return "its arguments are not ids"
        return ""
