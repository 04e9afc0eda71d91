"""Benches of many processes: how much the queue carries, and what is lost when parts are killed."""
