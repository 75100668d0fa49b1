"""The Dagster code location: loads what ``defs/`` holds, nothing else."""

import dagster as dg


@dg.definitions
def defs() -> dg.Definitions:
    from mel_pipeline.core.private_files import be_private
    from mel_pipeline.defs import build

    be_private()  # Dagster's programs can be started without `mel`
    return build()
