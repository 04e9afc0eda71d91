"""Where people are: chat adapters, the command line, the composition root."""
