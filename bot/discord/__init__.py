"""Personas on Discord: slash commands, galleries, and a name and face of their own.

Thin: what people may do, when a persona answers and what it says is decided in `bot.chat`. This
package turns what happens on Discord into the words of `bot.chat.base`, and shows what comes back.
Inside it, `import discord` is the library.
"""
