"""Past prices: read page by page, and kept."""
