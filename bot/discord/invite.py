"""What the bot asks for when it is invited to a server."""

from __future__ import annotations

from typing import Final

import discord

SCOPES: Final = ("bot", "applications.commands")
PERMISSIONS: Final = discord.Permissions(
    view_channel=True,
    send_messages=True,
    send_messages_in_threads=True,
    attach_files=True,
    read_message_history=True,
    manage_webhooks=True,
    send_voice_messages=True,
)
"""The least with which everything works; each is used for what the README says."""


def invite_url(application_id: int) -> str:
    """The address at which a server's owner invites the bot."""
    return discord.utils.oauth_url(application_id, permissions=PERMISSIONS, scopes=SCOPES)
