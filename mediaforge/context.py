"""Where one state keeps its things, and the tools of this machine: the value every journey starts from."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from mediaforge.package.keys import KeyStore
from mediaforge.steps import StepStore
from mediaforge.tools import Tools

if TYPE_CHECKING:
    from mediaforge.detect.index import Index
    from mediaforge.detect.postgres import PostgresIndex

WATERMARK_PURPOSE = "watermark"
SOUND_FOLDER = "sound"  # of an index: where the sounds of its titles lie


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """One state folder (two states never see each other) and the programs to use."""

    state: Path
    tools: Tools
    s3_endpoint: str | None = None
    index_url: str | None = field(default=None, repr=False)  # may hold a password

    @property
    def steps(self) -> StepStore:
        return StepStore(self.state / "steps")

    @property
    def keys(self) -> KeyStore:
        return KeyStore(self.state / "keys")

    @property
    def catalogue_file(self) -> Path:
        return self.state / "catalogue.db"

    @property
    def index_folder(self) -> Path:
        return self.state / "index"

    @property
    def sound_index_folder(self) -> Path:
        return self.index_folder / SOUND_FOLDER

    @property
    def index(self) -> "Index | PostgresIndex":
        """The reference titles: in this state, or in the database that machines share."""
        from mediaforge.detect.index import Index  # noqa: PLC0415 - a job is submitted without NumPy
        from mediaforge.detect.postgres import PostgresIndex  # noqa: PLC0415

        return PostgresIndex(self.index_url) if self.index_url else Index(self.index_folder)

    def release_folder(self, release_id: str) -> Path:
        return self.state / "releases" / release_id

    def package_folder(self, title: str) -> Path:
        """Where a title's package goes when the user names no other place."""
        return self.state / "packages" / title

    def watermark_secret(self, title: str) -> bytes:
        """The secret of a title's codes and coins: derived, never stored, apart from the catalogue."""
        return self.keys.derive(WATERMARK_PURPOSE, title)
