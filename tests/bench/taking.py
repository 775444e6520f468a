"""What the process that answers spends on a batch of readings: `python -m tests.bench.taking`.

In this process, without a network: from the request to the commit in a durable SQLite database, in
which nothing is noted or merged meanwhile.  CPU time, so that others on the machine matter less;
`loop_ms` is the CPU time of 400,000 additions in the same run, 25 ms on a quiet core.  The last
line is one JSON object: CPU milliseconds of a batch of 1,000 readings of 50 sensors (`narrow`), of
one reading each of 1,000 sensors (`wide`), of a single reading (`one`).
"""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path

from flask.testing import FlaskClient

from apm.core.db import make_engine, make_sessions
from apm.core.settings import Settings
from apm.factory import create_app
from tests.bench.ingest import prepare
from tests.bench.ingest_load import LINES, Load, bodies

LOADS = {
    "narrow": Load(1, 33, 1000, 50, 0),
    "wide": Load(1, 33, 1000, 1000, 3000),
    "one": Load(1, 33, 1, 1, 6000),
}
WARM_UP = 3


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'bench.db'}"
        engine = make_engine(url)
        headers = prepare(engine)
        environ = {"APM_DATABASE_URL": url, "APM_SECRET_KEY": "bench"}
        client = create_app(make_sessions(engine), Settings.from_env(environ)).test_client()
        found = {name: cpu_ms(client, headers, load) for name, load in LOADS.items()}
        engine.dispose()
    print(json.dumps({**found, "loop_ms": loop_ms()}))


def cpu_ms(client: FlaskClient, headers: dict[str, str], load: Load) -> float:
    """Return the CPU milliseconds of one batch."""
    content, began = bodies(load, 0), 0.0
    for k, body in enumerate(content):
        if k == WARM_UP:
            began = time.process_time()
        answer = client.post("/api/v1/readings", data=body, headers={**headers, **LINES})
        if answer.status_code != 200 or answer.get_json()["accepted"] != load.size:
            raise RuntimeError(answer.text)
    spent = time.process_time() - began
    return round(1000 * spent / (len(content) - WARM_UP), 2)


def loop_ms() -> float:
    """Return the CPU milliseconds of a loop that is always the same."""
    began, total = time.process_time(), 0
    for k in range(400_000):
        total += k
    return round(1000 * (time.process_time() - began), 1)


if __name__ == "__main__":
    main()
