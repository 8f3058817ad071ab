"""Why something can't be done with a run."""


class RunNotFoundError(Exception):
    """The account has no such run."""


class RunEndedError(Exception):
    """The run has ended, so it can't be cancelled; the message is its status."""


class NotRepeatableError(Exception):
    """The run can't be repeated like this; the message says why."""
