"""The numbers and words behind each chart. Draws nothing."""
