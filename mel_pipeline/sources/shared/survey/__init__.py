"""What all survey tools share: questions and their roles, personal data, responses as rows. No HTTP, no files."""
