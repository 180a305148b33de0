"""The proof that a package plays: real players in a real browser, through EME, with its own keys and with wrong ones."""

import base64
import json
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import msgspec

from mediaforge.checks import Check
from mediaforge.errors import StoreError, ToolError
from mediaforge.media import Variant
from mediaforge.package.cues import Cue, first_cue
from mediaforge.package.layout import INIT, PLAYLIST, video_folder
from mediaforge.package.player_browser import Browser, Page, open_browser
from mediaforge.package.player_cells import (
    PLAY_SECONDS,
    Cell,
    Mode,
    Player,
    Seen,
    Take,
    judge,
    plan_cells,
    plan_mix,
    plan_steps,
    rungs_of,
)
from mediaforge.package.player_server import PackageServer, Site, open_server, package_files
from mediaforge.package.record import PackageRecord, load_record
from mediaforge.package.track import read_track

# How long a player may take for one thing. A wrong key is refused at the first segment: no point in waiting as long.
PATIENCE_SECONDS = 20.0
REFUSAL_SECONDS = 10.0
SPEED = 1.0  # as viewers watch; software that decodes 1080p twice as fast would drop pictures
# Opening waits for three things in turn, and then for the page's own clock: only where that stands still, the door counts.
_LONGEST_STEP = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """A cell, what happened in it, and the verdict."""

    take: Take
    check: Check


def play_package(
    folder: Path,
    *,
    keys: Mapping[bytes, bytes],
    chromium: Path,
    screenshots: Path | None = None,
    on_cell: Callable[[Played, int, int], None] = lambda *_: None,
) -> tuple[Played, ...]:
    """Play a package in every cell (`plan_cells`). `keys` maps KIDs to keys.

    `screenshots`: a folder that gets a PNG a cell. `on_cell` gets each cell as it is done, its number, and how many there are.
    What a player cannot do becomes a failed check. Raises MediaError where the folder is no package, ToolError where Chromium
    does not start, StoreError where a picture cannot be written.
    """
    record = load_record(folder)
    title = _title(folder, record, keys, screenshots)
    cells = plan_cells(record, title.codecs)
    done: list[Played] = []
    with open_server() as server, _Browsers(chromium) as browsers:
        for cell in cells:
            take = _take(cell, title, server, browsers)
            done.append(Played(take=take, check=judge(take, rungs_of(cell, record, title.codecs), title.mix)))
            on_cell(done[-1], len(done), len(cells))
    return tuple(done)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Title:
    """What is played. `kids`: that of each encrypted folder; `codecs`: that of each rung; `cues`: the first of a language."""

    folder: Path
    record: PackageRecord
    keys: Mapping[bytes, bytes]
    kids: Mapping[str, bytes]
    codecs: Mapping[str, str]
    cues: Mapping[str, Cue]
    screenshots: Path | None

    @property
    def mix(self) -> tuple[Variant, ...]:
        return plan_mix(self.record.grid.segments, self.record.title)


class _Browsers:
    """One browser for all cells, and a new one after it failed."""

    def __init__(self, chromium: Path) -> None:
        self._chromium = chromium
        self._stack = ExitStack()
        self._browser: Browser | None = None

    def __enter__(self) -> "_Browsers":
        return self

    def __exit__(self, *_: object) -> None:
        self.drop()

    def get(self) -> Browser:
        if self._browser is None:
            self._browser = self._stack.enter_context(open_browser(self._chromium))
        return self._browser

    def drop(self) -> None:
        self._browser = None
        self._stack.close()


def _take(cell: Cell, title: _Title, server: PackageServer, browsers: _Browsers) -> Take:
    site = _site(cell, title)
    address = server.add(cell.name, site)
    browser = browsers.get()
    begin = time.monotonic()
    seen: list[Seen] = []
    fault = None
    try:
        with browser.page() as page:
            page.go(f"{server.origin}/page/index.html")
            for row in _steps(cell, title, page, address=address, token=site.token):
                seen.append(row)
    except ToolError as error:  # the page or the browser, not the player: what it still holds cannot be trusted
        fault = error.message
        browsers.drop()
    return Take(cell=cell, seen=tuple(seen), served=tuple(site.served), seconds=time.monotonic() - begin, fault=fault)


def _site(cell: Cell, title: _Title) -> Site:
    keys = {kid: _wrong(key) for kid, key in title.keys.items()} if cell.mode is Mode.WRONG_KEY else title.keys
    return Site(
        files=package_files(title.folder, title.record, title.mix if cell.mode is Mode.MIXED else ()),
        keys=keys,
        token=secrets.token_urlsafe(32),
        hooked={f"{name}/{PLAYLIST}": kid for name, kid in title.kids.items()} if cell.player is Player.HLSJS else {},
    )


def _steps(cell: Cell, title: _Title, page: Page, *, address: str, token: str) -> Iterator[Seen]:
    """What the page says after each step; an error ends them. The picture kept is the highest rung's, where it comes."""
    patience = REFUSAL_SECONDS if cell.mode is Mode.WRONG_KEY else PATIENCE_SECONDS
    setup = {
        "player": cell.player.value,
        "manifest": f"{address}/{cell.manifest}",
        "licence": f"{address}/licence",
        "token": token,  # by the browser's own pipe: neither in an address nor in a log
        "kids": [_base64url(kid) for kid in sorted(set(title.kids.values()))],
        "codec": cell.codec,
        "caption": f"{title.record.title} · {title.record.scheme} · {cell.words}",
        "play": PLAY_SECONDS,
        "patience": patience,
        "speed": SPEED,
    }
    record = rungs_of(cell, title.record, title.codecs)
    planned = [("open", (setup,)), *plan_steps(cell, record, title.cues)]
    best = max((at for at, (_, details) in enumerate(planned) if "highest" in details), default=len(planned) - 1)
    for at, (name, details) in enumerate(planned):
        words = ", ".join(json.dumps(word) for word in (name, *details))
        row = page.evaluate(f"step({words})", seconds=_LONGEST_STEP * patience)
        seen = msgspec.convert({**row, "step": name}, Seen)
        yield seen
        if at == best or seen.errors:
            _keep(page, cell, title.screenshots)
        if seen.errors:
            return


def _keep(page: Page, cell: Cell, folder: Path | None) -> None:
    if folder is None:
        return
    path = folder / f"{cell.name}.png"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path.write_bytes(page.picture())
    except OSError as error:
        raise StoreError(path, f"cannot be written ({error.strerror}); name another folder for --screenshots") from error


def _title(folder: Path, record: PackageRecord, keys: Mapping[bytes, bytes], screenshots: Path | None) -> _Title:
    inits = {name: folder / name / INIT for name in record.folders}
    tracks = {name: read_track(path) for name, path in inits.items() if path.exists()}
    codecs = {rung.name: tracks[video_folder(rung.name)].codec for rung in record.rungs if video_folder(rung.name) in tracks}
    texts = {row.language: row.folder for row in record.text}
    cues = {language: first_cue(folder, name) for language, name in texts.items() if name in tracks}
    return _Title(
        folder=folder,
        record=record,
        keys=keys,
        kids={name: track.protection.default_kid for name, track in tracks.items() if track.protection is not None},
        codecs={rung.name: codecs.get(rung.name, "") for rung in record.rungs},
        # One language is enough: that the others are offered as well, `package.languages` and `package.files.referenced` hold.
        cues=dict([(language, cue) for language, cue in cues.items() if cue is not None][:1]),
        screenshots=screenshots,
    )


def _wrong(key: bytes) -> bytes:
    return bytes(byte ^ 0xFF for byte in key)


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
