"""Tests, a file a use case."""
