"""The media of one prompt: how many soft tokens each takes, and what the towers make of them.

A few are decoded ahead of the tower, so that it need not wait, and none is held once it is encoded:
a document may have a hundred pages of 31 MB. Runs on the MLX thread.
"""

from __future__ import annotations

from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import TYPE_CHECKING, Any

from gemma_tui.errors import DamagedFileError
from gemma_tui.generation import MediaProgress, media_key
from gemma_tui.preprocessing.budget import image_tokens
from gemma_tui.runtime.features import AHEAD
from gemma_tui.runtime.gemma4.merge import SoftTokens, join_soft_tokens

if TYPE_CHECKING:
    from collections.abc import Callable

    import mlx.core as mx

    from gemma_tui.generation import Media
    from gemma_tui.runtime.encoder import MediaEncoder
    from gemma_tui.runtime.features import Features
    from gemma_tui.runtime.gemma4.model import Gemma4
    from gemma_tui.runtime.jobs import Job
    from gemma_tui.runtime.prompt import Prompt


class PromptMedia:
    """Counts and encodes the media of one prompt, in their order.

    Args:
        media: All of them.
        model: Has the towers.
        encoder: Remembers what they made.
        job: Where features come from and progress goes to.
        stop_if_cancelled: Raises if the reply is not wanted any more.
    """

    def __init__(
        self,
        media: tuple[Media, ...],
        *,
        model: Gemma4,
        encoder: MediaEncoder,
        job: Job,
        stop_if_cancelled: Callable[[], None],
    ) -> None:
        self._media = media
        self._model = model
        self._encoder = encoder
        self._job = job
        self._stop_if_cancelled = stop_if_cancelled

    def soft_token_counts(self) -> list[int]:
        """How many soft tokens each medium takes: remembered, computed, or told by its features.

        Raises:
            AttachmentError: A file cannot be used.
        """
        return [self._count(place, media) for place, media in enumerate(self._media)]

    def encode(self, prompt: Prompt, cached: int) -> SoftTokens | None:
        """Soft tokens of the media that the caches have not seen: remembered, or from a tower.

        Args:
            prompt: May lack the first media.
            cached: Its tokens that the caches have seen.

        Raises:
            AttachmentError: A file cannot be used, or is not what it was.
        """
        encoded: list[tuple[int, mx.array]] = []
        left_out = len(self._media) - len(prompt.spans)
        unseen = [span for span in prompt.spans if span.start >= cached]
        for done, span in enumerate(unseen):
            self._job.emit(MediaProgress(done, len(unseen)))
            self._stop_if_cancelled()
            soft = self._encoder.recall(span)
            if soft is None:
                place = left_out + len(prompt.spans) - len(unseen) + done
                features = self._features(place)
                if self._model.soft_token_count(features) != span.stop - span.start:
                    raise _changed(self._media[place])
                is_kept = not self._job.is_aside
                soft = self._encoder.encode(span, features, is_kept=is_kept)
                self._job.features[place].release()
            encoded.append((span.start, soft))
        if unseen:
            self._job.emit(MediaProgress(len(unseen), len(unseen)))
        return join_soft_tokens(encoded)

    def _count(self, place: int, media: Media) -> int:
        count = self._encoder.count(media_key(media))
        if count is not None:
            return count
        if media.kind == "image" and media.width and media.height:
            return image_tokens(media.width, media.height, media.token_budget)
        return self._model.soft_token_count(self._features(place))

    def _features(self, place: int) -> Features:
        """Wait for what the media threads make of the n-th medium, and have them go on."""
        future = self._job.features[place].future()
        for later in range(place + 1, min(place + AHEAD, len(self._media))):
            if self._encoder.count(media_key(self._media[later])) is None:
                self._job.features[later].future()
        awaited: tuple[Future[Any], ...] = (future, self._job.cancelled)
        wait(awaited, return_when=FIRST_COMPLETED)
        self._stop_if_cancelled()
        return future.result()


def _changed(media: Media) -> DamagedFileError:
    message = f"“{media.name}” is not of the size that it had when it was attached."
    return DamagedFileError(message, "Attach it again.")
