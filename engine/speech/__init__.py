"""Voices: text made speakable, spoken and timed."""
