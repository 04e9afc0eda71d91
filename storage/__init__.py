"""What is kept: personas, galleries, conversations, media."""
