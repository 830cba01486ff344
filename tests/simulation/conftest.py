"""Simulated runs keep their databases in memory."""

from tests.fakes.database import memory_folder, sqlite_template

__all__ = ["memory_folder", "sqlite_template"]
