"""All that a cloud has in memory, to compare with what it has later."""

from custom_components.espcloud.local_cloud.rows import TABLES, Row, to_row
from custom_components.espcloud.local_cloud.store import Store


def take(store: Store) -> dict[str, list[Row]]:
    """Return the rows of all tables, not changed by what happens to the store later."""
    return {
        name: sorted(map(to_row, store.table(kind).values()))
        for name, kind in TABLES.items()
    }
