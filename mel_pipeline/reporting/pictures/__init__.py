"""Chart frames to picture files: drawn once, kept while nothing they depend on changes."""
