"""The Dagster code location: loads what ``defs/`` holds, nothing else."""

import dagster as dg


@dg.definitions
def defs() -> dg.Definitions:
    from mel_pipeline.defs import build

    return build()
