"""Chart frames to picture files: drawn once, cached while nothing they depend on changes."""
