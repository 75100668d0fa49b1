"""Sign-in to Google and Zoho."""
