"""The warehouse: the only package that opens a database connection.

``Warehouse`` reads and writes. ``raw`` holds raw tables, ``quarantine`` the rejected rows, ``state`` the progress of
loads and ``schemas`` the fields of sources; ``tables`` lists the package's own tables.
"""

from mel_pipeline.warehouse.engine import Warehouse

__all__ = ["Warehouse"]
