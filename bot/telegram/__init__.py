"""Telegram: personas as a bot that answers with text and round video notes.

Only what Telegram alone has lives here; what every chat platform needs is in `bot.chat`.
"""
