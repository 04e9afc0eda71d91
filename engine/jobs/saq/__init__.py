"""SaqQueue: jobs in PostgreSQL, done by workers on any number of machines. Extra `scale`."""
