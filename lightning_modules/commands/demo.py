"""Serve a page on which a file is restored, heard and seen; it fetches nothing from elsewhere, and tells nobody anything."""

import os
import socket
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from datamodules.audio.bounds import Bounds
from datamodules.audio.suffixes import read_suffixes
from lightning_modules.commands.opening import MethodAtRate
from lightning_modules.commands.own_files import OwnFiles
from lightning_modules.commands.trying import INPUT, RESTORED, Tried, open_methods, try_method

if TYPE_CHECKING:
    from gradio import Blocks

TITLE = "Clarion"
WORDS = """Restore a recording and compare it with what it was.
Both are played at one loudness; the file to download is the true result."""
STYLE = "#restored .empty { min-height: 6rem !important; }"
"""There is little to see where no file is yet."""
KEPT_SECONDS, LOOK_SECONDS = 3600, 60
"""How long files that were handed in or given out are kept, and how often is looked for older ones."""
WAKE_SECONDS = 0.5
"""How long a signal may wait on Windows."""
MOST_WAITING = 16
"""Trials that wait for the one that runs."""
RESTORING_SHARE = 0.9
"""Of the time that a trial takes; the rest is drawing and writing."""
QUIET = {"GRADIO_ANALYTICS_ENABLED": "False", "HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}
"""Settings of Gradio and of what it imports: they tell nobody and ask nobody."""
POLICY = (
    "default-src 'self' 'unsafe-inline' 'unsafe-eval' blob: data:; base-uri 'self'; form-action 'self'; frame-ancestors 'self'"
)
"""By which a browser fetches nothing for the page from any other place."""

Message = MutableMapping[str, Any]
Outputs = tuple[str, str | None, str | None, str | None, str | None]
"""What is told, the input and the result to hear, their picture, and the file to download."""
NOTHING: Outputs = ("error: there is no recording yet; drop one first", None, None, None, None)


@dataclass(frozen=True)
class Showing:
    """What is served, and where.

    Attributes:
        methods: checkpoint files, run folders or names of methods without training, beside those that are there.
        device: auto, cpu, cuda or mps.
        trusted: names of packages whose classes may be created beside those of this project.
        bounds: of the files that are taken.
        host: name or IPv4 address of this machine by which the page is reached.
        port: 0 takes a free one.
    """

    methods: Sequence[str]
    device: str
    trusted: Sequence[str]
    bounds: Bounds
    host: str
    port: int


def show(showing: Showing) -> int:
    """Serve the page until a signal ends it, and remove what was written meanwhile.

    Raises:
        ValueError: if the extra is not installed, a method cannot be opened, or the place is not to be had.
    """
    if find_spec("gradio") is None:
        raise ValueError("clarion-demo needs the package gradio: pip install '.[demo]'")
    methods, port = open_methods(showing.methods, showing.device, showing.trusted), free_port(showing.host, showing.port)
    if not socket.gethostbyname(showing.host).startswith("127."):
        print(f"note: whoever reaches {showing.host} port {port} over the network can restore files here", file=sys.stderr)
    with TemporaryDirectory(prefix="clarion-demo-", ignore_cleanup_errors=True) as folder:
        given_out, work = Path(folder) / "files", Path(folder) / "work"
        work.mkdir()
        os.environ.update(QUIET, GRADIO_TEMP_DIR=str(given_out))
        page = build_page(methods, showing.bounds, work)
        try:
            launch(page, showing, port)
            print(f"http://{showing.host}:{port} (Ctrl+C ends it)", flush=True)
            wait_for_signal(threading.Event())
        finally:
            page.close(verbose=False)
    return 0


def wait_for_signal(never: threading.Event) -> None:
    """Wait until a signal raises; on Windows none can end a wait without a time limit.

    Args:
        never: set by nobody but a test.
    """
    while not never.wait(WAKE_SECONDS):
        pass


def free_port(host: str, port: int) -> int:
    """Return a port that nobody listens at: the one that is given, or any for 0.

    Raises:
        ValueError: if it is taken, or the host is none of this machine's.
    """
    try:
        with socket.create_server((host, port)) as listening:
            return int(listening.getsockname()[1])
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise ValueError(f"--host {host} --port {port}: {reason}; --port 0 takes a free one") from error


def launch(page: "Blocks", showing: Showing, port: int) -> None:
    """Start to serve the page; all that Gradio can do beside is named and left out.

    Raises:
        ValueError: if it does not start.
    """
    from starlette.middleware import Middleware

    try:
        page.queue(max_size=MOST_WAITING, default_concurrency_limit=1).launch(
            server_name=showing.host,
            server_port=port,
            prevent_thread_lock=True,
            quiet=True,
            max_file_size=round(showing.bounds.megabytes * 1e6),
            app_kwargs={"middleware": [Middleware(OwnOrigin), Middleware(OwnFiles)]},
            css=STYLE,
            footer_links=[],
            run_history=False,
            share=False,
            enable_monitoring=False,
            ssr_mode=False,
            pwa=False,
            mcp_server=False,
        )
    except Exception as error:  # Gradio raises these as they are, such as for a proxy through which it looks for itself.
        raise ValueError(f"the page does not start: {' '.join(str(error).split())}") from error


class OwnOrigin:
    """Add to every answer of a server the policy that a browser is to fetch nothing from elsewhere.

    Args:
        app: the server, after the ASGI specification 3.0.
    """

    def __init__(self, app: Callable[..., Awaitable[None]]) -> None:
        self.app = app

    async def __call__(self, scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[..., Any]) -> None:
        """Answer a request."""

        async def send_with_policy(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [*message.get("headers", []), (b"content-security-policy", POLICY.encode())]
                message = {**message, "headers": headers}
            await send(message)

        await self.app(scope, receive, send_with_policy)


def build_page(methods: Mapping[str, MethodAtRate], bounds: Bounds, folder: Path) -> "Blocks":
    """Lay out the page.

    Args:
        methods: by the names to choose from.
        bounds: of the files that are taken.
        folder: for what is written while a file is restored, outside of where Gradio keeps its copies.
    """
    import gradio as gr

    def restore(file: str | None, method: str, strength: float, progress: Any = gr.Progress()) -> Iterator[Outputs]:  # noqa: B008
        if file is None:
            yield NOTHING
            return
        given, advance = Path(file), Shares(progress).advance
        with TemporaryDirectory(dir=folder) as place:  # Gradio has copied its files once it asks for more.
            yield shown(lambda: try_method(methods[method], given, strength, bounds, Path(place), advance))

    with gr.Blocks(title=TITLE, analytics_enabled=False, delete_cache=(LOOK_SECONDS, KEPT_SECONDS)) as page:
        gr.Markdown(f"# {TITLE}\n{WORDS}")
        with gr.Row():
            with gr.Column(scale=2):
                limits = f"at most {bounds.megabytes:g} MB and {bounds.seconds:g} s"
                file = gr.File(label=f"Recording ({limits})", file_types=sorted(read_suffixes()), height=150)
                method = gr.Dropdown(list(methods), value=next(iter(methods)), label="Method")
                strength = gr.Slider(0, 1, value=1, step=0.05, label="Strength", info="0: as the input, 1: fully restored")
                button = gr.Button("Restore", variant="primary")
                told = gr.Textbox(label="What was done", interactive=False, lines=3)
                result = gr.File(label="Restored file", interactive=False, height=110, elem_id="restored")
            with gr.Column(scale=3):
                heard = [
                    gr.Audio(label=f"{name}, at one loudness", interactive=False, buttons=[]) for name in ("Input", "Restored")
                ]
                picture = gr.Image(label="Spectrograms", show_label=False, interactive=False, buttons=[])
        button.click(
            restore, [file, method, strength], [told, *heard, picture, result], api_name="restore", show_progress_on=told
        )
    return page


class Shares:
    """Add up shares of the work, and show how much is done.

    Args:
        progress: shows a share, with a word on what it is about.
    """

    def __init__(self, progress: Callable[..., Any]) -> None:
        self._progress, self._done = progress, 0.0

    def advance(self, share: float) -> None:
        """Show a share of the restoration more."""
        self._done = min(1.0, self._done + share)
        self._progress(RESTORING_SHARE * self._done, desc="restoring" if self._done < 1 else "drawing")


def shown(attempt: Callable[[], Tried]) -> Outputs:
    """Return what the page shows of a trial; of one that fails, the sentence alone.

    Args:
        attempt: makes the trial.
    """
    try:
        tried = attempt()
    except ValueError as error:
        return f"error: {error}", None, None, None, None
    heard = [str(tried.heard[name]) for name in (INPUT, RESTORED)]
    return "\n".join(tried.lines), heard[0], heard[1], str(tried.picture), str(tried.restored)
