"""The page of an edition: model, HTML, and the comparison of its languages."""
