"""What the worker does by itself about forecasts."""

import apm.forecasts.scoring_jobs  # noqa: F401  (registers the judging of forecasts)
