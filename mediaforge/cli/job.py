"""`job list`, `show`, `watch`, `cancel`, `retry`: the releases that the queue remembers."""

import click

from mediaforge.cli.command import Call, Group
from mediaforge.cli.follow import follow, run_release
from mediaforge.cli.opening import open_context, open_session
from mediaforge.cli.progress import telling
from mediaforge.cli.tables import print_lines, print_table
from mediaforge.work import dispatch
from mediaforge.work.view import ReleaseState, ReleaseView


@click.group("job", cls=Group)
def command() -> None:
    """List, show, watch, cancel and retry the jobs of the queue.

    \b
    Example:
      mediaforge job list
      mediaforge job watch atlas-1f0c9a2b3d
    """


@command.command("list")
@click.pass_obj
def list_jobs(call: Call) -> None:
    """List the releases that the queue remembers, the newest first.

    \b
    Example:
      mediaforge job list --json
    """
    with open_session(call.settings, open_context(call.settings)) as session:
        views = dispatch.jobs(session)
    rows = [(view.release_id, view.title, view.state.value, f"{view.fraction:.0%}", _error(view) or "") for view in views]
    call.printer.answer(
        {"jobs": [_data(view) for view in views]},
        lambda: print_table(("job", "title", "state", "done", "error"), rows, empty="The queue remembers no release."),
    )


@command.command("show")
@click.argument("id")
@click.pass_obj
def show(call: Call, id: str) -> None:
    """Show how a release stands, step by step.

    \b
    Example:
      mediaforge job show atlas-1f0c9a2b3d
    """
    with open_session(call.settings, open_context(call.settings)) as session:
        view = dispatch.job(session, id)
    rows = [(step.name, step.state.value, f"{step.fraction:.0%}", _took(step.seconds)) for step in view.steps]

    def people() -> None:
        print_lines(f"{view.release_id}: {view.state.value}, {view.fraction:.0%}", *filter(None, [_error(view)]))
        print_table(("step", "state", "done", "seconds"), rows, empty="It is not planned yet.")

    call.printer.answer(_data(view) | {"steps": view.steps}, people)


@command.command("watch")
@click.argument("id")
@click.pass_obj
def watch(call: Call, id: str) -> None:
    """Watch a release that runs elsewhere, until it ends.

    \b
    Example:
      mediaforge job watch atlas-1f0c9a2b3d --progress json
    """
    with open_session(call.settings, open_context(call.settings)) as session:
        with telling(call.progress, about=dispatch.job(session, id).title) as tell:
            follow(dispatch.watch(session, id), tell)
        view = dispatch.job(session, id)
    call.printer.answer(_data(view), lambda: print_lines(f"{view.release_id}: {view.state.value}"))


@command.command("cancel")
@click.argument("id")
@click.pass_obj
def cancel(call: Call, id: str) -> None:
    """Call a release off, wherever it runs. What its finished steps made is kept.

    \b
    Example:
      mediaforge job cancel atlas-1f0c9a2b3d
    """
    with open_session(call.settings, open_context(call.settings)) as session:
        cancelled = dispatch.cancel(session, id)
        view = dispatch.job(session, id)
    words = "is called off" if cancelled else f"had ended already ({view.state.value})"
    call.printer.answer(_data(view) | {"cancelled": cancelled}, lambda: print_lines(f"{id} {words}"))


@command.command("retry")
@click.argument("id")
@click.pass_obj
def retry(call: Call, id: str) -> None:
    """Run an ended release again. Steps that were set aside after failing three times are tried anew.

    ID is a job, or the key of a step that was set aside.

    \b
    Example:
      mediaforge job retry atlas-1f0c9a2b3d
    """
    context = open_context(call.settings)
    with open_session(call.settings, context) as session:
        view = next((view for view in dispatch.jobs(session) if _poison(view) == id), None) or dispatch.job(session, id)
    poison = _poison(view)
    if poison is not None:
        context.steps.forgive(poison)
    run_release(call, context, view.title, view.release_id)
    with open_session(call.settings, context) as session:
        view = dispatch.job(session, view.release_id)
    call.printer.answer(_data(view), lambda: print_lines(f"{view.release_id}: {view.state.value}"))


def _data(view: ReleaseView) -> dict[str, object]:
    return {
        "id": view.release_id,
        "title": view.title,
        "state": view.state.value,
        "progress": round(view.fraction, 4),
        "step": " ".join(view.running) or None,
        "error": _error(view),
    }


def _error(view: ReleaseView) -> str | None:
    return view.failure.sentence if view.failure else None


def _poison(view: ReleaseView) -> str | None:
    """The key of the step that was set aside, where that is how the release ended."""
    if view.state is not ReleaseState.FAILED or view.failure is None or view.failure.kind != "PoisonedStep":
        return None
    return str(view.failure.facts["key"])


def _took(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds:.1f}"
