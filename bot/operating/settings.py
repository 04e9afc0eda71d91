"""What can be set about operating the program."""

from __future__ import annotations

import re
from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator

_ADDRESS = re.compile(r"(?P<host>[\w.-]+|\[[0-9a-fA-F:]+\]):(?P<port>[0-9]{1,5})")


class OperatingSettings(BaseModel):
    """Options of the section `[operating]`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    http: str = Field(
        default="",
        description="address at which /healthz, /readyz and /metrics answer, such as "
        "127.0.0.1:9100; they ask for no password, so keep them off public networks. Empty: none",
    )
    stuck_seconds: float = Field(
        default=30.0,
        gt=0,
        description="seconds after which a program that does not get on is no longer healthy",
    )
    log_format: Literal["text", "json"] = Field(
        default="text", description="text, or json: one object a line"
    )
    log_to: Literal["file", "stderr", "both"] = Field(
        default="file",
        description="where the log goes; stderr is for systemd and containers",
    )
    otlp_endpoint: str = Field(
        default="",
        description="address of an OpenTelemetry collector that takes traces over HTTP, such as "
        "http://127.0.0.1:4318; empty: no traces",
    )

    @field_validator("http")
    @classmethod
    def _is_address(cls, http: str) -> str:
        if http and address_of(http) is None:
            raise ValueError("give a host and a port, such as 127.0.0.1:9100")
        return http

    @field_validator("otlp_endpoint")
    @classmethod
    def _is_url(cls, endpoint: str) -> str:
        url = urlsplit(endpoint)
        if endpoint and (url.scheme not in ("http", "https") or not url.hostname):
            raise ValueError("give an http or https address, such as http://127.0.0.1:4318")
        return endpoint


def address_of(http: str) -> tuple[str, int] | None:
    """Host and port of `host:port`; None where it is none."""
    match = _ADDRESS.fullmatch(http)
    if match is None or int(match["port"]) > 65_535:
        return None
    return match["host"].strip("[]"), int(match["port"])
