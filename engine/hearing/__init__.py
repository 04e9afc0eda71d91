"""Hearing: what people say, written down."""
