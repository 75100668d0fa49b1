"""Facebook and Instagram: Graph API, tokens, exported files."""
