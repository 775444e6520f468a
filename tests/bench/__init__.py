"""Benchmarks: `python -m tests.bench.NAME [DATA_DIR] --json`; the last line is one JSON object."""
