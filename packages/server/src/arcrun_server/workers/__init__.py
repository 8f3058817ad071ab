"""Child processes for work that can't be bounded by construction: they are ended when its time is over."""

from .pool import (
    Job,
    WorkerBusyError,
    WorkerError,
    WorkerFailedError,
    WorkerPool,
    WorkerTimeoutError,
)

__all__ = [
    "Job",
    "WorkerBusyError",
    "WorkerError",
    "WorkerFailedError",
    "WorkerPool",
    "WorkerTimeoutError",
]
