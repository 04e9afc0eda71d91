"""Operating: how whoever runs the program sees whether it is well, and what it does."""
