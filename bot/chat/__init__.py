"""The platform-neutral conversation: who may do what, when to answer, and what to say.

An adapter turns what happened on its platform into the words of `bot.chat.base`, asks `Chat`, and
shows what comes back.
"""
