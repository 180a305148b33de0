"""Where one state keeps its things, and the tools of this machine: the value every journey starts from."""

from dataclasses import dataclass
from pathlib import Path

from mediaforge.package.keys import KeyStore
from mediaforge.steps import StepStore
from mediaforge.tools import Tools

WATERMARK_PURPOSE = "watermark"
SOUND_FOLDER = "sound"  # of an index: where the sounds of its titles lie


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """One state folder (two states never see each other) and the programs to use."""

    state: Path
    tools: Tools
    s3_endpoint: str | None = None

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

    def release_folder(self, release_id: str) -> Path:
        return self.state / "releases" / release_id

    def package_folder(self, title: str) -> Path:
        """Where a title's package goes when the user names no other place."""
        return self.state / "packages" / title

    def watermark_secret(self, title: str) -> bytes:
        """The secret of a title's codes and coins: derived, never stored, apart from the catalogue."""
        return self.keys.derive(WATERMARK_PURPOSE, title)
