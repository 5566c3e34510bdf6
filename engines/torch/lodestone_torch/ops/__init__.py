"""The ops, by family. Importing this package registers their builders."""

from . import attention, dropout, elementwise, indexing, linear, loss, normalise, reduce, shape  # noqa: F401
