"""simcord as this application needs it: webhooks that belong to it, threads, and nonces.

simcord knows webhooks of strangers only, which may carry no buttons. An application's own may,
and through their parent's webhook messages reach threads; a nonce that is enforced gives the
message that was sent with it before.
"""

from __future__ import annotations

import asyncio
import dataclasses
from typing import Any, Literal

import pytest
from simcord.backend import errors, serializers
from simcord.env import Env
from simcord.http import router
from simcord.http.routes import interactions, messages


def know_own_webhooks(patch: pytest.MonkeyPatch) -> None:
    """Teaches simcord what it does not know, for one test."""
    strangers_body = interactions._incoming_webhook_body
    strangers_webhook = interactions._incoming_webhook
    strangers_payload = serializers.webhook_payload

    def body(ctx: Any) -> tuple[dict[str, Any], bool]:
        if not _is_ours(ctx):
            return strangers_body(ctx)
        with_components = str(ctx.params.get("with_components", "")).lower() in {"1", "true"}
        return dict(ctx.body()), with_components

    def webhook(ctx: Any) -> Any:
        found = strangers_webhook(ctx)
        thread_id = ctx.params.get("thread_id")
        if thread_id is None:
            return found
        thread = ctx.backend.get_thread(int(thread_id))
        if thread.parent_id != found.channel_id:
            raise errors.BackendError(404, 10003, "Unknown Channel")
        return dataclasses.replace(found, channel_id=thread.id)

    def payload(backend: Any, hook: Any, **options: Any) -> dict[str, Any]:
        shown = strangers_payload(backend, hook, **options)
        if hook.creator_id == backend.bot_user.id:
            shown["application_id"] = str(backend.application_id)
        return shown

    patch.setattr(interactions, "_incoming_webhook_body", body)
    patch.setattr(interactions, "_incoming_webhook", webhook)
    patch.setattr(serializers, "webhook_payload", payload)
    _enforce_nonces(patch)


def _is_ours(ctx: Any) -> bool:
    hook = ctx.backend.webhooks.get(ctx.int_arg("webhook_id"))
    return hook is not None and hook.creator_id == ctx.backend.bot_user.id


def _enforce_nonces(patch: pytest.MonkeyPatch) -> None:
    """Sends a message with a known nonce once."""
    template = ["channels", "{channel_id}", "messages"]
    sent: dict[tuple[int, str], Any] = {}

    def send(ctx: Any) -> Any:
        body = ctx.body()
        key = (ctx.int_arg("channel_id"), str(body.get("nonce")))
        if body.get("enforce_nonce") and key in sent:
            return sent[key]
        sent[key] = messages.send_message(ctx)
        return sent[key]

    routes = [
        (segments, send if segments == template else handler)
        for segments, handler in router._ROUTES["POST"]
    ]
    patch.setitem(router._ROUTES, "POST", routes)


def let_events_be_waited_for(patch: pytest.MonkeyPatch, env: Env) -> None:
    """Tells simcord that who waits for an event waits for other work, which it knows of."""
    wait = asyncio.Event.wait

    async def waiting(event: asyncio.Event) -> Literal[True]:
        task = asyncio.current_task()
        if task not in env._work.tasks or task in env._work.external_waits:
            return await wait(event)
        done: Literal[True] = await env.external_wait(wait(event), reason="an event")
        return done

    patch.setattr(asyncio.Event, "wait", waiting)
