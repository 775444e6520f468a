"""What the worker does by itself about forecasts."""

import apm.forecasts.foretelling_jobs
import apm.forecasts.scoring_jobs  # noqa: F401  (both register jobs)
