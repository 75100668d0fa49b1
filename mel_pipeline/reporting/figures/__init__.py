"""Released figures looked up, compared and put into sentences. Pure functions."""
