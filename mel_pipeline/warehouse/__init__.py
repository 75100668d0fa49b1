"""The warehouse: the only room that opens a database connection.

``Warehouse`` reads and writes; ``landing`` keeps raw tables, quarantine, ledger and cursors.
"""

from mel_pipeline.warehouse.engine import Warehouse

__all__ = ["Warehouse"]
