"""The model store: what can be fetched, from where, and whether it arrived whole."""
