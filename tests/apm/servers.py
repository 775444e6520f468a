"""Real servers on loopback: one takes mail, one answers HTTP as it is told."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword


@dataclass
class Mail:
    """What a mail server received; `refuse` is its answer to every receiver."""

    port: int = 0
    received: list[Any] = field(default_factory=list)
    refuse: str | None = None
    password: str | None = None

    async def handle_RCPT(self, _server, _session, envelope, address, _options):  # noqa: N802
        if self.refuse:
            return self.refuse
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server, _session, envelope):  # noqa: N802
        self.received.append(message_from_bytes(envelope.content, policy=default))
        return "250 OK"

    def login(self, _server, _session, _envelope, _mechanism, data):
        right = isinstance(data, LoginPassword) and data.password.decode() == self.password
        return AuthResult(success=right, handled=right)


class _Controller(Controller):
    def factory(self):
        return SMTP(
            self.handler,
            authenticator=self.handler.login,
            auth_require_tls=False,
        )


@contextmanager
def mail_server(**options: Any) -> Iterator[Mail]:
    mail = Mail(**options)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        mail.port = free.getsockname()[1]
    running = _Controller(mail, hostname="127.0.0.1", port=mail.port)
    running.start()
    try:
        yield mail
    finally:
        running.stop()


@dataclass
class Seen:
    """One request that an HTTP server got."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


Answers = Callable[[Seen], tuple[int, Any] | tuple[int, Any, dict[str, str]]]


@dataclass
class Web:
    """What an HTTP server got; `answer` says what it answers."""

    url: str = ""
    seen: list[Seen] = field(default_factory=list)
    answer: Answers = lambda _seen: (200, {})


@contextmanager
def web_server() -> Iterator[Web]:
    web = Web()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            seen = Seen(self.path, dict(self.headers.items()), body)
            web.seen.append(seen)
            status, content, *more = web.answer(seen)
            data = content if isinstance(content, bytes) else json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            for name, value in (more[0] if more else {}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST  # noqa: N815

        def log_message(self, *_args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    web.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield web
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
