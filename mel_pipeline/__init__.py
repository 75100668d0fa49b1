"""Monitoring, evaluation and learning (MEL) figures for a network of cities."""
