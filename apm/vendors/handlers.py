"""What vendors' visits do at news of work: imported, they are told when it moves."""

import apm.vendors.visits  # noqa: F401  (registers with `work.moving`)
