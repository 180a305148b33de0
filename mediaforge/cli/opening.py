"""From the settings of a call to what the lower floors start from."""

from contextlib import AbstractContextManager

from mediaforge.context import Context
from mediaforge.errors import SettingsError
from mediaforge.settings import Settings
from mediaforge.tools import locate_tools
from mediaforge.work.session import Session, queue_session


def open_context(settings: Settings) -> Context:
    """The state, made where it is new and open to nobody else, and the programs. Raises SettingsError, ToolMissing."""
    try:
        settings.state.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise SettingsError(f"the state {settings.state} cannot be made ({error.strerror}); choose another --state") from error
    return Context(
        state=settings.state,
        tools=locate_tools(settings.tools),
        s3_endpoint=settings.s3_endpoint,
        index_url=settings.index_url,
    )


def open_session(settings: Settings, context: Context) -> AbstractContextManager[Session]:
    """The queue of the state, or the one that the settings name. Raises QueueError."""
    return queue_session(settings.state, context.tools, runtime_dir=settings.runtime_dir, queue_url=settings.queue_url)
