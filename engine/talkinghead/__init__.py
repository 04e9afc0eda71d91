"""Talking heads: portraits that speak, and the encoding of what they say."""
