"""What a server says of itself and of its model, as far as it does.

Every server has `GET /v1/models`; vLLM tells the context there, `gemma-tui serve` and OpenRouter
what the model takes (`input_modalities`), too. llama.cpp says what the model takes in
`GET /props`, Ollama in `POST /api/show`, LM Studio in `GET /api/v0/models`. What nobody tells, the
settings say.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from gemma_tui.errors import RefusedByServerError
from gemma_tui.generation import ModelInfo
from gemma_tui.options import SamplingOptions
from gemma_tui.sanitize import sanitize_line
from gemma_tui.server_name import as_model

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from gemma_tui.settings.servers import Server

DEFAULT_CONTEXT: Final = 32_768
"""Tokens, where neither the server nor the settings say; every Gemma 4 takes more."""

MAX_NAME_LENGTH: Final = 32
"""Characters of a model's name that are shown."""

_CONTEXT_KEYS: Final = ("max_model_len", "context_length", "max_context_length", "context_window")
"""Of an entry of `/v1/models`: vLLM; Ollama and OpenRouter; LM Studio; others."""


@dataclass(frozen=True, slots=True)
class RemoteModelInfo:
    """What is known of the model that a server would answer with."""

    model: str
    """Its id there."""
    others: tuple[str, ...] = ()
    """Other models of the server."""
    sees: bool | None = None
    """None: nobody said."""
    hears: bool | None = None
    context: int | None = None


def choose_model(server: Server, listing: object) -> RemoteModelInfo:
    """The model that is meant, out of what `/v1/models` says.

    Args:
        server: Its settings name a model, or the first one is meant.
        listing: The JSON.

    Raises:
        RefusedByServerError: There is no model. One that the settings name may have another name
            in the list, so the server is asked for it anyway.
    """
    entries = [entry for entry in _list(listing, "data") if isinstance(entry.get("id"), str)]
    names = tuple(entry["id"] for entry in entries)
    if not server.model and not names:
        raise RefusedByServerError(
            f"{server.name} does not say which models it has.",
            f"Name one: model = … in [servers.{server.name}] of the settings.",
        )
    chosen = server.model or names[0]
    entry = next((entry for entry in entries if entry["id"] == chosen), {})
    context = next((n for n in (_size(entry, key) for key in _CONTEXT_KEYS) if n), None)
    if context is None:
        # llama.cpp; its n_ctx_train is what was trained, not what was started.
        context = _size(_table(entry, "meta"), "n_ctx")
    takes = entry.get("input_modalities") or _table(entry, "architecture").get("input_modalities")
    senses = takes if isinstance(takes, list) else None
    others = tuple(name for name in names if name != chosen)
    return RemoteModelInfo(
        chosen,
        others,
        sees=None if senses is None else "image" in senses,
        hears=None if senses is None else "audio" in senses,
        context=context,
    )


async def ask_further(
    info: RemoteModelInfo, ask: Callable[[str, dict[str, Any] | None], Awaitable[Any]]
) -> RemoteModelInfo:
    """What the server's own addresses add; one that has none of them is left at that.

    Args:
        info: What `/v1/models` said.
        ask: Gets a path of the server, or posts JSON to it; None where there is no such thing.
    """
    props = await ask("/props", None)
    if isinstance(props, dict) and isinstance(props.get("modalities"), dict):  # llama.cpp
        settings = props.get("default_generation_settings")
        context = _size(settings, "n_ctx") if isinstance(settings, dict) else None
        senses = props["modalities"]
        return replace(
            info,
            sees=senses.get("vision") is True,
            hears=senses.get("audio") is True,
            context=context or info.context,
        )
    shown = await ask("/api/show", {"model": info.model})
    if isinstance(shown, dict) and isinstance(shown.get("capabilities"), list):  # Ollama
        abilities = shown["capabilities"]
        return replace(info, sees="vision" in abilities, hears="audio" in abilities)
    listing = await ask("/api/v0/models", None)
    for entry in _list(listing, "data"):  # LM Studio
        if entry.get("id") == info.model and isinstance(entry.get("type"), str):
            context = _size(entry, "loaded_context_length") or info.context
            return replace(info, sees=entry["type"] == "vlm", context=context)
    return info


def model_info(server: Server, known: RemoteModelInfo) -> ModelInfo:
    """The model as everything else sees it; the settings know better than the server."""
    sees = known.sees if server.sees is None else server.sees
    hears = known.hears if server.hears is None else server.hears
    name = sanitize_line(known.model.rstrip("/").rpartition("/")[2]) or "model"
    name = name if len(name) <= MAX_NAME_LENGTH else f"{name[: MAX_NAME_LENGTH - 1]}…"
    return ModelInfo(
        name=f"{name} at {server.name} (remote)",
        folder=str(as_model(server.name)),
        can_see=bool(sees),
        can_hear=bool(hears),
        context_length=server.context or known.context or DEFAULT_CONTEXT,
        default_token_budget=server.image_tokens,
        weight_bytes=0,
        sampling=SamplingOptions(),
        limitations=(server.warning,) if server.warning else (),
    )


def _list(value: object, key: str) -> list[dict[str, Any]]:
    items = value.get(key) if isinstance(value, dict) else value
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []


def _table(table: dict[str, Any], key: str) -> dict[str, Any]:
    value = table.get(key)
    return value if isinstance(value, dict) else {}


def _size(table: dict[str, Any], key: str) -> int | None:
    value = table.get(key)
    is_size = isinstance(value, int) and not isinstance(value, bool) and value >= 256
    return value if is_size else None
