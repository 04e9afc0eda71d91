"""How each language is read aloud: one table a language, and what reads the tables."""
