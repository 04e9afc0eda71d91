"""Portraits: a picture of anything, with a face whose place is known."""
