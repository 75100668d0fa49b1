"""Sends what arrives ready: messages by SMTP, notices to a chat, folders to another place. Composes no figure.

No database, settings or report is known here, and no address is ever printed.
"""
