"""The same tables built in six ways. Each file is a separate program, run by the Python of its environment.

None imports this package or another: an environment may hold nothing but its own library (and clock.py next to it).
A program gets a JSON file with its input and output, and reports seconds, memory and broken tests.
"""
