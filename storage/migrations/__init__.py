"""Alembic's migrations, run when the storage is opened."""
