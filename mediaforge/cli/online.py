"""A copy that lies online, fetched for as long as it is looked at."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from mediaforge.detect.sources import Fetched, fetch
from mediaforge.settings import Settings


def is_online(copy: str) -> bool:
    return "://" in copy


@contextmanager
def fetched(settings: Settings, url: str) -> Iterator[Fetched]:
    """The video that a page shows, in its lowest rendition; it is gone when the block ends. Raises as `fetch`."""
    with TemporaryDirectory(prefix="mediaforge-scan-") as folder:
        yield fetch(url, Path(folder), allow_hosts=settings.scan_allow_hosts)
