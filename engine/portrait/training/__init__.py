"""Training of the tiny painter: a text-to-image model of our own, on art of free licences."""
