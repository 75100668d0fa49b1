"""Has the sample organisation answer while a command runs, when the settings ask for sample data."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from mel_pipeline.core.errors import PortTakenError
from mel_pipeline.core.settings import Settings, load_settings


@contextmanager
def sample_sources(settings: Settings) -> Iterator[Settings]:
    """Settings whose sources answer. Real accounts are left alone; the sample is served for the block.

    A free port is taken when the usual one is in use. Processes started within the block learn the port
    through the environment.
    """
    if not settings.sample:
        yield settings
        return
    from mel_pipeline.sandbox import running

    before = os.environ.get("MEL_SANDBOX_PORT")
    with ExitStack() as stack:
        try:
            box = stack.enter_context(
                running(
                    settings.sandbox_port, settings.current_day, settings.survey_folder, settings.sandbox_fail
                )
            )
        except PortTakenError:
            box = stack.enter_context(
                running(0, settings.current_day, settings.survey_folder, settings.sandbox_fail)
            )
        os.environ["MEL_SANDBOX_PORT"] = str(box.port)
        try:
            yield load_settings()
        finally:
            if before is None:
                del os.environ["MEL_SANDBOX_PORT"]
            else:
                os.environ["MEL_SANDBOX_PORT"] = before
