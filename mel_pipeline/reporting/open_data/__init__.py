"""Figures as tidy CSV files with a Frictionless data package."""
