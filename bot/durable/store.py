"""Where workflows are remembered, and how what is remembered of people goes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dbos import DBOSClient, DBOSPortableJSONSerializer
from sqlalchemy import create_engine, inspect


@dataclass(frozen=True)
class WorkflowStore:
    """Where workflows are remembered: `url` as SQLAlchemy's, `schema` for PostgreSQL."""

    url: str
    schema: str = "dbos"


def erase_remembered(store: WorkflowStore, delivery_ids: Sequence[str]) -> None:
    """Nothing is remembered of these deliveries any more. Works beside processes at work, whose
    workflows of them end with their next step."""
    ids = [one for delivery in delivery_ids for one in (delivery, f"{delivery}-back")]
    if not ids or not _exists(store):
        return
    client = DBOSClient(
        system_database_url=store.url,
        dbos_system_schema=store.schema,
        serializer=DBOSPortableJSONSerializer(),
    )
    try:
        client.delete_workflows(ids, delete_children=True)
    finally:
        client.destroy()


def _exists(store: WorkflowStore) -> bool:
    """Whether any workflow was ever begun there."""
    engine = create_engine(store.url)
    try:
        schema = store.schema if engine.dialect.name == "postgresql" else None
        return inspect(engine).has_table("workflow_status", schema=schema)
    finally:
        engine.dispose()
