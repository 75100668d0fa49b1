"""Packs of an edition: board deck, donor reports, IATI, pictures for social media. Released figures in, files out."""
