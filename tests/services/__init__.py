"""Real services that tests start on this machine: a PostgreSQL and an S3 server."""
