"""The machines: build a persona once, answer each message."""
