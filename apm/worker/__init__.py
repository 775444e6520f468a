"""The worker: one leading process that runs jobs and delivers events."""
