"""Deliver editions and notifications: e-mail by SMTP, messages to a chat, copies of folders. Computes no figures.

Addresses are never printed.
"""
