"""The two loops of a reply: prefill chunk by chunk, then decode one token ahead.

Token ids in, token ids out. Knows nothing of text, media files, or the pipe.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import mlx.core as mx

from gemma_tui.chunk_size import MAX_CHUNK

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gemma_tui.runtime.gemma4.merge import SoftTokens
    from gemma_tui.runtime.gemma4.model import Gemma4
    from gemma_tui.runtime.sampler import Sampler


def prefill(
    model: Gemma4,
    ids: Sequence[int],
    *,
    start: int,
    stop: int,
    cache: list[Any],
    soft: SoftTokens | None,
    chunk_tokens: int = MAX_CHUNK,
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


class TokenStream:
    """Endless tokens after a prompt; whoever takes them decides when it is enough.

    While one token is handed out the next one is already being computed. After each `next` the
    cache has seen exactly the prompt and the tokens handed out so far.

    Args:
        model: The network.
        last_id: The last token of the prompt, which `cache` has not seen yet.
        cache: Of `model`, after all other tokens of the prompt.
        sampler: Draws the tokens.
    """

    def __init__(self, model: Gemma4, last_id: int, *, cache: list[Any], sampler: Sampler) -> None:
        self._model = model
        self._cache = cache
        self._sampler = sampler
        self._pending = self._follow(mx.array([last_id]))

    def __iter__(self) -> Iterator[int]:
        return self

    def __next__(self) -> int:
        """Hand out a token, with the one behind it on its way."""
        token = self._pending
        self._sampler.note(token)
        self._pending = self._follow(token)
        return int(token.item())  # type: ignore[arg-type]

    def force(self, token_id: int) -> None:
        """Have the next token be this one, whatever the model would have chosen."""
        self._pending = mx.array([token_id], dtype=mx.uint32)

    def last(self) -> int:
        """The next token, behind which nothing follows: the cache does not get to see it.

        So a reply that is cut off can go on from this cache with this token, at no cost.
        """
        return int(self._pending.item())  # type: ignore[arg-type]

    def _follow(self, token: mx.array) -> mx.array:
        logits = self._model(token[None], cache=self._cache, last_only=True)  # [1, 1, vocabulary]
        following = self._sampler(logits[:, -1, :])
        mx.async_eval(following)  # type: ignore[no-untyped-call]
        return following
