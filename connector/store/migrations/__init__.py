"""The schema's history (Alembic), inside the package so that an installed dunwell can migrate."""

from __future__ import annotations

from importlib.resources import as_file, files

import sqlalchemy as sa


def upgrade(connection: sa.Connection) -> None:
    """Bring the tables to the newest revision, in the transaction that `connection` is in."""
    from alembic import command
    from alembic.config import Config

    with as_file(files(__name__)) as folder:
        config = Config()
        config.set_main_option("script_location", str(folder).replace("%", "%%"))
        config.set_main_option("path_separator", "os")
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
