"""The two loops of a reply: prefill chunk by chunk, then decode one token ahead.

Token ids in, token ids out. Knows nothing of text, media files, or the pipe.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import mlx.core as mx

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence

    from gemma_tui.runtime.gemma4.merge import SoftTokens
    from gemma_tui.runtime.gemma4.model import Gemma4

CHUNK_TOKENS: Final = 512
"""Prompt tokens between two looks at the cancel flag, and between two progress events. A picture
that must not be split may make a chunk longer."""


def prefill(
    model: Gemma4,
    ids: Sequence[int],
    *,
    start: int,
    stop: int,
    cache: list[Any],
    soft: SoftTokens | None,
    chunk_tokens: int = CHUNK_TOKENS,
) -> Iterator[int]:
    """Advance `cache` from token `start` of a prompt to `stop`, one chunk at a time.

    Args:
        model: The network.
        ids: The whole prompt.
        start: How many of its tokens `cache` has seen.
        stop: Where to end.
        cache: Of `model`; its state is evaluated whenever this yields.
        soft: Soft tokens of the prompt, positions counted from its first token.
        chunk_tokens: Length of a chunk; only a picture that must not be split makes it longer.

    Yields:
        How many tokens of the prompt `cache` has seen.

    Raises:
        ValueError: `start` or `stop` would split such a picture.
    """
    whole = model.unsplittable(ids)
    for end in chunk_ends(start, stop, chunk_tokens, whole):
        chunk = mx.array([ids[start:end]])  # [1, length]
        model.prefill(chunk, cache=cache, soft=soft.slice(start, end) if soft else None)
        mx.eval([layer.state for layer in cache])
        start = end
        yield start


def chunk_ends(
    start: int, stop: int, chunk_tokens: int, whole: Sequence[tuple[int, int]]
) -> Iterator[int]:
    """Where the chunks of a stretch of a prompt end.

    Args:
        start: Where the stretch begins.
        stop: Where it ends.
        chunk_tokens: Length of a chunk.
        whole: Start and stop, ascending, of what must be in one chunk: a border inside moves to
            before it, or to its end when it begins the chunk.

    Raises:
        ValueError: `start` or `stop` is inside one of these.
    """
    if any(first < border < last for first, last in whole for border in (start, stop)):
        raise ValueError(f"tokens {start} to {stop} split a picture that must be seen whole")
    while start < stop:
        end = min(start + chunk_tokens, stop)
        for first, last in whole:
            if first < end < last:
                end = first if first > start else last
        start = end
        yield end


def decode(
    model: Gemma4,
    last_id: int,
    *,
    cache: list[Any],
    sampler: Callable[[mx.array], mx.array],
) -> Generator[int, None, None]:
    """Endless tokens after a prompt; whoever takes them decides when it is enough.

    While one token is handed out the next one is already being computed. At each `yield` the
    cache has seen exactly the prompt and the tokens handed out so far.

    Args:
        model: The network.
        last_id: The last token of the prompt, which `cache` has not seen yet.
        cache: Of `model`, after all other tokens of the prompt.
        sampler: From logits [1, vocabulary] to token ids [1], lazy.

    Yields:
        Token ids.
    """

    def step(token: mx.array) -> mx.array:
        logits = model(token[None], cache=cache, last_only=True)  # [1, 1, vocabulary]
        return sampler(logits[:, -1, :])

    token = step(mx.array([last_id]))
    mx.async_eval(token)  # type: ignore[no-untyped-call]
    while True:
        following = step(token)
        mx.async_eval(following)  # type: ignore[no-untyped-call]
        yield int(token.item())  # type: ignore[arg-type]
        token = following
