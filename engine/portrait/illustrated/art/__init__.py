"""Finds or composes the artwork that a portrait is made of."""
