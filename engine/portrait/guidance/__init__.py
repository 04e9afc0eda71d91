"""Landmark guidance: the face a picture shall have, and the ways of getting it there."""
