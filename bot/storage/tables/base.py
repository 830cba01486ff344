"""What every table shares: one catalogue, and names for constraints that migrations can rely on."""

from typing import ClassVar

from sqlalchemy import MetaData, Table
from sqlmodel import SQLModel

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)


class Row(SQLModel):
    """The base of every table."""

    metadata: ClassVar[MetaData] = metadata

    @classmethod
    def table(cls) -> Table:
        return metadata.tables[str(cls.__tablename__)]
