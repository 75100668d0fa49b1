"""Figures that hold: how each was calculated, frozen when published, restated openly, explained on request.

Reads and writes the warehouse; no source is asked and nothing is drawn here.
"""
