"""A server that fetches nothing: files are handed in, and no address from which it would have to get them."""

import contextlib
import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

ADDRESSES = ("http://", "https://")
REFUSED = "hand the file in; no address is fetched"

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class OwnFiles:
    """Refuse requests that make Gradio fetch an address: as the path of a file in a JSON body, or in the path of the request.

    Args:
        app: the server, after the ASGI specification 3.0.
    """

    def __init__(self, app: Callable[..., Awaitable[None]]) -> None:
        self.app = app

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer a request, with status 400 if it is refused."""
        if scope["type"] != "http" or is_form(scope):
            await self.app(scope, receive, send)
            return
        messages = await received(receive)
        waiting = iter(messages)

        async def receive_again() -> Message:
            return next(waiting, None) or await receive()

        if names_address(scope["path"], b"".join(message.get("body", b"") for message in messages)):
            await refuse(send)
        else:
            await self.app(scope, receive_again, send)


def is_form(scope: Message) -> bool:
    """Return whether a request is a form, which holds the files themselves and may be long."""
    types = [value for name, value in scope.get("headers", []) if name.lower() == b"content-type"]
    return scope["method"] == "POST" and bool(types) and types[0].lower().startswith(b"multipart/form-data")


async def received(receive: Receive) -> list[Message]:
    """Return the messages of a request to the end of its body."""
    messages = [await receive()]
    while messages[-1]["type"] == "http.request" and messages[-1].get("more_body", False):
        messages.append(await receive())
    return messages


def names_address(path: str, body: bytes) -> bool:
    """Return whether a request names an address to fetch.

    Args:
        path: of the request, decoded.
        body: JSON; what is none cannot name any.

    >>> names_address("/gradio_api/call/restore", b'{"data": [{"path": "https://a.org/b.wav"}]}')
    True
    >>> names_address("/gradio_api/call/restore", b'{"data": [{"path": "b.wav", "url": "http://127.0.0.1/file=b.wav"}]}')
    False
    """
    found: list[str] = []
    with contextlib.suppress(ValueError):
        json.loads(body, object_pairs_hook=lambda pairs: found.extend(str(value) for name, value in pairs if name == "path"))
    in_path = any(address in path.lower() for address in ADDRESSES)
    return in_path or any(given.strip().lower().startswith(ADDRESSES) for given in found)


async def refuse(send: Send) -> None:
    """Answer with status 400, and why."""
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": 400, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps({"detail": REFUSED}).encode()})
