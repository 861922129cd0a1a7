"""The error for wrong input."""


class UsageError(Exception):
    """Wrong input. The message says what was expected, what was found and what to do; the command ends with `Status.WRONG_USE`."""


class CannotMake(UsageError):
    """A factory made no cache for a page size and a policy. It may make one for others."""
