"""The portrait benchmark: 400 descriptions, what is drawn for them, and who finds the face."""
