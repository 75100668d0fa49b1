"""The benchmark load: raw tables with the project's own columns, generated in DuckDB, skewed like real ones.

The same size and seed give the same rows (for one version of DuckDB, whose hash is the only source of randomness). It
contains no real person's data.
"""

from mel_pipeline_tests.benchmarks.load.generator import generate, load_of

__all__ = ["generate", "load_of"]
