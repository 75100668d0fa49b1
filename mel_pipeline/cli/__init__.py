"""The command ``mel``: a module a command group. Logic lives in the packages behind it."""
