"""The same tables made in six ways. Each file is a program of its own, run by the Python of its environment.

None imports this package or another: an environment may hold nothing but its own library (and clock.py beside it).
A program gets a JSON file that names its input and output and tells seconds, memory and broken tests.
"""
