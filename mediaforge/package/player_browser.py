"""Chromium, headless, driven by the Chrome DevTools Protocol over a pipe: no port, no library between.

https://chromedevtools.github.io/devtools-protocol: each message is JSON and ends with a zero byte. One browser, and a page of
its own for each cell in a context that shares nothing with the others. Every wait has an end, and so has the browser: it dies
with the `with` block, and with us.
"""

import base64
import contextlib
import json
import os
import selectors
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mediaforge.errors import ToolError
from mediaforge.tools import end_group, python_module, spawn

STARTING_SECONDS = 30.0
ANSWER_SECONDS = 20.0
CLOSING_SECONDS = 3.0
VIEWPORT = (960, 574)  # a 16:9 picture and the caption below it

_BRIEF = "/tmp"  # noqa: S108 - a folder of its own is made inside
_FLAGS = (
    "--headless",
    # Its sandbox needs user namespaces or a setuid helper, which containers and CI machines forbid; the only pages that this
    # browser ever opens are our own.
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",  # /dev/shm of a container is too small
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--disable-breakpad",  # no crash reporter that outlives it
    "--disable-quic",
    "--autoplay-policy=no-user-gesture-required",
    "--mute-audio",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",  # nothing leaves this machine
    "--proxy-server=direct://",
    "--remote-debugging-pipe",
)


class Page:
    """One page, in a context of its own."""

    def __init__(self, browser: "Browser", session: str) -> None:
        self._browser = browser
        self._session = session

    def go(self, url: str) -> None:
        """Open an address and wait until its scripts have run."""
        self.call("Page.enable")
        self.call("Page.navigate", url=url)
        self.evaluate("new Promise((done) => document.readyState === 'complete' ? done() : addEventListener('load', done))")

    def evaluate(self, expression: str, *, seconds: float = ANSWER_SECONDS) -> Any:
        """The value of a JavaScript expression, or of the promise it makes. Raises ToolError, also where the page throws."""
        outcome = self.call("Runtime.evaluate", seconds=seconds, expression=expression, awaitPromise=True, returnByValue=True)
        thrown = outcome.get("exceptionDetails")
        if thrown is not None:
            words = str(thrown.get("exception", {}).get("description") or thrown.get("text", ""))
            raise ToolError("chromium", f"the page failed ({words.splitlines()[0] if words else 'without a word'})")
        return outcome.get("result", {}).get("value")

    def picture(self) -> bytes:
        """What the page shows, as PNG."""
        return base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"])

    def call(self, method: str, *, seconds: float = ANSWER_SECONDS, **parameters: object) -> dict[str, Any]:
        return self._browser.call(method, parameters, session=self._session, seconds=seconds)


class Browser:
    """A running Chromium. Raises ToolError where it ends, says no, or stays silent for longer than a call allows."""

    def __init__(self, commands: int, answers: int) -> None:
        self._commands = commands
        self._answers = answers
        self._rest = b""
        self._number = 0

    @contextlib.contextmanager
    def page(self) -> Iterator[Page]:
        """A new page that shares no cookie, cache or key with another; gone after the block."""
        context = self.call("Target.createBrowserContext", {})["browserContextId"]
        try:
            size = {"width": VIEWPORT[0], "height": VIEWPORT[1]}
            target = self.call("Target.createTarget", {"url": "about:blank", "browserContextId": context, **size})
            attached = self.call("Target.attachToTarget", {"targetId": target["targetId"], "flatten": True})
            page = Page(self, attached["sessionId"])
            page.call("Emulation.setDeviceMetricsOverride", **size, deviceScaleFactor=1, mobile=False)
            yield page
        finally:
            with contextlib.suppress(ToolError):  # a browser that is gone has no contexts
                self.call("Target.disposeBrowserContext", {"browserContextId": context})

    def call(
        self, method: str, parameters: Mapping[str, object], *, session: str | None = None, seconds: float = ANSWER_SECONDS
    ) -> dict[str, Any]:
        """One command and its answer. Events that come in between are passed over, but for the end of a page."""
        self._number += 1
        message: dict[str, object] = {"id": self._number, "method": method, "params": parameters}
        if session is not None:
            message["sessionId"] = session
        try:
            os.write(self._commands, json.dumps(message).encode() + b"\0")
        except BrokenPipeError as error:
            raise ToolError("chromium", "ended by itself", transient=True) from error
        deadline = time.monotonic() + seconds
        while True:
            answer = json.loads(self._next(deadline, waiting_for=method))
            if answer.get("method") == "Inspector.targetCrashed" and answer.get("sessionId") == session:
                raise ToolError("chromium", "the page crashed", transient=True)
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise ToolError("chromium", f"refused {method} ({answer['error'].get('message', '')})")
                return dict(answer["result"])

    def close(self) -> None:
        """Let it end its own processes. Whoever started it ends what is left."""
        with contextlib.suppress(ToolError):
            self.call("Browser.close", {}, seconds=CLOSING_SECONDS)
            while True:  # until the pipe says that it is gone, which is a ToolError as well
                self._next(time.monotonic() + CLOSING_SECONDS, waiting_for="Browser.close")

    def _next(self, deadline: float, *, waiting_for: str) -> bytes:
        with selectors.DefaultSelector() as selector:
            selector.register(self._answers, selectors.EVENT_READ)
            while b"\0" not in self._rest:
                if not selector.select(max(0.0, deadline - time.monotonic())):
                    raise ToolError("chromium", f"did not answer {waiting_for} in time", transient=True)
                block = os.read(self._answers, 1 << 20)
                if not block:
                    raise ToolError("chromium", "ended by itself", transient=True)
                self._rest += block
        message, _, self._rest = self._rest.partition(b"\0")
        return message


@contextlib.contextmanager
def open_browser(chromium: Path) -> Iterator[Browser]:
    """Start Chromium with a profile of its own; all its processes and files are gone after the block. Raises ToolError."""
    with contextlib.ExitStack() as stack:
        home = Path(tempfile.mkdtemp(prefix="mediaforge-chromium-"))
        # Its last processes may still write while the profile is taken away.
        stack.callback(shutil.rmtree, home, ignore_errors=True)
        # It keeps a socket in its temporary folder, and the path of a socket has room for 107 characters.
        brief = Path(tempfile.mkdtemp(prefix="mf-", dir=_BRIEF if os.access(_BRIEF, os.W_OK) else None))
        stack.callback(shutil.rmtree, brief, ignore_errors=True)
        theirs, commands = os.pipe()
        answers, also_theirs = os.pipe()
        stack.callback(os.close, commands)
        stack.callback(os.close, answers)
        try:
            argv = python_module("mediaforge.package.player_child", str(theirs), str(also_theirs), str(chromium), *_FLAGS)
            process = spawn(
                [*argv, f"--user-data-dir={home / 'profile'}", "about:blank"],
                name="chromium",
                log=home / "log",
                # What it would keep between runs (crash reports, caches of fonts) goes the way of its profile.
                env_extra={**dict.fromkeys(("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"), str(home)), "TMPDIR": str(brief)},
                pass_fds=(theirs, also_theirs),
            )
        finally:
            os.close(theirs)
            os.close(also_theirs)
        stack.callback(end_group, process)
        browser = Browser(commands, answers)
        try:
            browser.call("Browser.getVersion", {}, seconds=STARTING_SECONDS)
        except ToolError as error:
            tail = (home / "log").read_text(encoding="utf-8", errors="replace")[-2000:]
            raise ToolError("chromium", f"did not start; try `{chromium} --headless --no-sandbox`", tail=tail) from error
        stack.callback(browser.close)
        yield browser
