"""The only part of reporting that reads the warehouse: an edition, the site and the narrative as frames."""
