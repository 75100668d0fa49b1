"""Folders of facts about one organisation: lines of action, regions, scales, campaigns, names of cities. Data only."""

from pathlib import Path

METROPOLIS = Path(__file__).parent / "metropolis"
