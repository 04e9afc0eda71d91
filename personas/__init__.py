"""What a persona is. No I/O; imports nothing of ours."""
