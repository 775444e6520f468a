"""What metrology does at news of work: imported, its guard is asked before work is completed."""

import apm.metrology.blocking
import apm.metrology.naming  # noqa: F401  (both register with `work`)
