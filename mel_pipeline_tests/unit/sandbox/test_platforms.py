"""The simulators of the sample organisation, by name."""

import pytest

from mel_pipeline.core.errors import MelError
from mel_pipeline.sandbox.platforms import Platforms


def test_a_missing_simulator_says_what_to_write():
    with pytest.raises(
        MelError, match=r"no simulator of it .*Add mel_pipeline/sandbox/platforms/tiktok\.py with"
    ):
        Platforms()["tiktok"]
    assert Platforms().get("tiktok") is None
    assert "tiktok" not in Platforms()
