"""What can go wrong in storage, told in plain sentences and in the same classes on every backend."""

from __future__ import annotations


class StorageError(Exception):
    """Base of everything storage raises on its own account."""


class StorageUnavailable(StorageError):
    """The database cannot work just now (disk full, locked, I/O error, closed); nothing was confirmed."""


class ConstraintViolated(StorageError):
    """A write broke a rule of the schema: a unique key, a foreign key, a check, or a trigger that refuses."""


class WriteRefused(StorageError):
    """A unit that was given for reading tried to write."""


class SeveralRows(StorageError):
    """`Tx.one` met a query that yields more than one row."""


class UnknownBackend(StorageError):
    """The storage URL names a backend that this build does not have, or cannot be read."""


class AlreadyRunning(StorageError):
    """Another process works on this house, which is made for one at a time."""


class SchemaTooNew(StorageError):
    """The database was migrated by a newer release; this one must not touch it."""


class MigrationChanged(StorageError):
    """The text of a migration differs from the text that was applied to this database."""


class MigrationsBroken(StorageError):
    """The migration files, or the record of those applied, have a gap, a double number or a bad name."""
