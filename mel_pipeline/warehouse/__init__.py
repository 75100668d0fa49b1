"""The warehouse: the only room that opens a database connection.

``Warehouse`` reads and writes; ``raw`` keeps raw tables, ``quarantine`` what was put aside, ``state`` and
``schemas`` where loads and sources stand; ``tables`` lists what the package keeps for itself.
"""

from mel_pipeline.warehouse.engine import Warehouse

__all__ = ["Warehouse"]
