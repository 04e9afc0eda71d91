"""The drawn face: one painter for portraits at rest and for heads that speak."""
