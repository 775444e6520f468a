"""Web server, worker and simulator in one process, from start to a clean stop."""

from __future__ import annotations

from threading import Event, Thread
from typing import Any, Protocol

from waitress.server import create_server

THREADS = 8
STOP_WITHIN_S = 3.0
"""How long each part may take to stop; what it did not commit is done again next time."""


class Part(Protocol):
    """Something that runs in the background."""

    def start(self) -> None:
        """Begin."""

    def stop(self) -> None:
        """End."""


class WebServer:
    """Waitress in a thread of its own."""

    def __init__(self, app: Any, *, host: str, port: int) -> None:
        self._server = create_server(
            app, host=host, port=port, threads=THREADS, ident="apm", max_request_body_size=64 << 20
        )
        self._thread = Thread(target=self._server.run, name="web", daemon=True)

    def start(self) -> None:
        """Listen, in the background."""
        self._thread.start()

    def stop(self) -> None:
        """Take no more requests and finish those at hand."""
        # Closed in its own loop: from here it would pull the socket away under a select().
        self._server.trigger.pull_trigger(self._server.close)
        self._server.task_dispatcher.shutdown(timeout=STOP_WITHIN_S - 1)
        self._thread.join(timeout=1)


def run_until(stop: Event, parts: list[Part]) -> None:
    """Start the parts in order, wait for `stop`, then stop the last first."""
    started: list[Part] = []
    try:
        for part in parts:
            part.start()
            started.append(part)
        while not stop.wait(1.0):  # a bare wait() would keep Ctrl-C waiting on some systems
            pass
    finally:
        stoppers = [Thread(target=part.stop, daemon=True) for part in reversed(started)]
        for stopper in stoppers:
            stopper.start()
        for stopper in stoppers:
            stopper.join(timeout=STOP_WITHIN_S)
