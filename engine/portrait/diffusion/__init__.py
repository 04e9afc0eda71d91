"""Portraits painted by diffusion models, with the face guided into them."""
