"""Backups and their restoration: everything a new machine needs, in one folder a time, checked by hashes."""
