"""Portraits out of art that exists, with a face drawn on it that belongs to it."""
