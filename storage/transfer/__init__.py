"""Moving everything that is kept to another database and another place of media."""
