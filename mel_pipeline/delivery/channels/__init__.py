"""Outgoing channels: SMTP, chat webhook, folder; redaction of messages. No warehouse, settings or figures."""
