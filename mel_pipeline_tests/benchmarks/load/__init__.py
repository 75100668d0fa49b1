"""A load to measure with: raw tables of the project's own shapes, fabricated in DuckDB, skewed as real ones are.

The same rows for the same number and seed (with one version of DuckDB, whose hash is the only source of chance). Nothing in it is a real person's.
"""

from mel_pipeline_tests.benchmarks.load.generator import generate, load_of

__all__ = ["generate", "load_of"]
