"""Portraits from an OpenAI-compatible endpoint for pictures."""
