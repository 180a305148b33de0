import shutil
from collections.abc import Iterator

import pytest

from mediaforge.work.processes import descendants, end
from tests.work.fake_home import Home, make_home


@pytest.fixture
def home() -> Iterator[Home]:
    """Whatever a test leaves running is ended here."""
    made = make_home()
    try:
        yield made
    finally:
        end(descendants(made.pids()))
        shutil.rmtree(made.path, ignore_errors=True)
