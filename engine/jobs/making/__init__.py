"""The handlers of the three works: portrait, speech, clip."""
