"""The command ``mel``: one module per command group. The logic is in the other packages."""
