"""How much of everything so many communities need, and what is full first."""
