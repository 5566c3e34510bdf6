"""Errors that a person can mend."""


class EngineError(Exception):
    """`where: expected X, got Y`, a stable dotted code, and what to do about it."""

    def __init__(self, code, message, fix=None):
        super().__init__(message)
        self.code, self.fix = code, fix
