"""A release in the queue, with its progress shown."""

from collections.abc import Iterable, Mapping

from mediaforge.cli.command import Call
from mediaforge.cli.opening import open_session
from mediaforge.cli.progress import Note, Tell, telling
from mediaforge.context import Context
from mediaforge.work.dispatch import drive, job, start
from mediaforge.work.locks import title_lock
from mediaforge.work.view import Event


def run_release(call: Call, context: Context, title: str, release_id: str) -> Mapping[str, str]:
    """Work a release off through the queue; how each of its steps ended. Raises the release's own error."""
    with (
        title_lock(call.settings.state, title, release_id=release_id),
        open_session(call.settings, context) as session,
        telling(call.progress, about=title) as tell,
    ):
        start(session, release_id, title=title)
        follow(drive(session, release_id, workers=call.settings.workers), tell)
        return {step.name: step.state.value for step in job(session, release_id).steps}


def follow(events: Iterable[Event], tell: Tell) -> None:
    """Go along until the release has ended. Raises the release's own error where it fails."""
    for event in events:
        tell(
            Note(
                event=event.kind.value,
                step=event.step,
                fraction=event.fraction,
                overall=event.overall,
                seconds=event.seconds,
                message=event.message,
            )
        )
