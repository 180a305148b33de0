"""From the settings of a call to what the lower floors start from."""

from mediaforge.context import Context
from mediaforge.settings import Settings
from mediaforge.tools import locate_tools


def open_context(settings: Settings) -> Context:
    """The state and the programs. Raises ToolMissing."""
    return Context(state=settings.state, tools=locate_tools(settings.tools), s3_endpoint=settings.s3_endpoint)
