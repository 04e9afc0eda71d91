"""Face landmarkers: one backend a file, imported when it is first used."""
