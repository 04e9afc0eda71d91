"""What the commands do: each takes the app and prints a result."""
