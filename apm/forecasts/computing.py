"""Where heavy numeric work runs: in this process, on this machine's cores, or on a Dask cluster.

The same functions and the same chunks everywhere, so the results are equal.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from apm.core.errors import Invalid
from apm.core.i18n import _l

T = TypeVar("T")
R = TypeVar("R")
FEW = 3
"""Fewer chunks than this are done before other processes have started."""


def each(function: Callable[[T], R], chunks: Sequence[T], compute: str = "local") -> list[R]:
    """Return `function` of each chunk, in order.

    Args:
        function: of a module, so that another process finds it.
        chunks: what it is called with; must survive pickling.
        compute: the setting `APM_COMPUTE`: `local` or `dask://host:port`.

    Raises:
        Invalid: a cluster is asked for and cannot be reached, or Dask is not installed.
    """
    # It looks round the machine when it is loaded, and few starts need it.
    from joblib import Parallel, cpu_count, delayed, parallel_config  # noqa: PLC0415

    if compute == "local":
        cores = min(cpu_count(), len(chunks))
        if len(chunks) < FEW or cores < 2:
            return [function(chunk) for chunk in chunks]
        with parallel_config(backend="loky", n_jobs=cores, inner_max_num_threads=1):
            return list(Parallel()(delayed(function)(chunk) for chunk in chunks))
    try:
        from distributed import Client  # noqa: PLC0415  (an extra; most have no cluster)
    except ImportError as error:
        raise Invalid(
            _l("APM_COMPUTE names a Dask cluster. Install apm with its extra `dask`."),
            code="no_dask",
        ) from error
    try:
        client = Client(  # type: ignore[no-untyped-call]
            compute.replace("dask://", "tcp://", 1), timeout="10s"
        )
    except OSError as error:
        raise Invalid(
            _l("The Dask cluster named in APM_COMPUTE does not answer. Start it, or set local."),
            code="no_cluster",
        ) from error
    with client, parallel_config(backend="dask"):
        return list(Parallel()(delayed(function)(chunk) for chunk in chunks))
