"""What the worker does by itself about forecasts."""

import apm.forecasts.foretelling_jobs  # noqa: F401  (registers the nightly run)
