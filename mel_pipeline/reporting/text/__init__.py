"""Texts of a language: locale files, numbers, dates, and sentences of the catalogue in translation."""
