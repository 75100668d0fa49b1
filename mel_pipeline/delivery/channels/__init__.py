"""Ways out of the house: SMTP, chat webhook, folder; redaction of what they say. No warehouse, settings or figures."""
