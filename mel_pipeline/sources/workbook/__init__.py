"""What people state: targets, figures counted by hand, texts, corrections, codebooks. A form and its versions."""
