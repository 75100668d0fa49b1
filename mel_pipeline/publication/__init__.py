"""Reliable figures: calculations recorded, frozen when published, restated openly, explained on request.

Reads and writes the warehouse; no source access and no charts here.
"""
