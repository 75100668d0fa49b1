"""What sources share: HTTP, rate limits, prefetch, dates, sign-in, files, and the shapes of platforms and surveys."""
