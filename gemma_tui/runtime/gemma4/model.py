"""Gemma 4 as one network: towers, their projections into the decoder, and the decoder.

Arrays in, arrays out. Everything here must happen on one thread: MLX streams are thread-local.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import mlx.core as mx
from mlx import nn
from mlx_lm.models.gemma4_text import logit_softcap

from gemma_tui.errors import CapabilityError, LimitError
from gemma_tui.preprocessing.patches import ImageFeatures
from gemma_tui.runtime.gemma4.audio import AudioTower
from gemma_tui.runtime.gemma4.config import PatchEmbedderConfig, WaveformEmbedderConfig
from gemma_tui.runtime.gemma4.decoder import Decoder, Keep
from gemma_tui.runtime.gemma4.layers import Embedder
from gemma_tui.runtime.gemma4.masks import picture_runs
from gemma_tui.runtime.gemma4.unified import PatchEmbedder
from gemma_tui.runtime.gemma4.vision import VisionTower

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gemma_tui.preprocessing.audio import AudioFeatures
    from gemma_tui.runtime.gemma4.config import AudioConfig, Gemma4Config, VisionConfig
    from gemma_tui.runtime.gemma4.merge import SoftTokens


class LanguageModel(nn.Module):
    """The decoder and its output layer.

    Args:
        config: The whole checkpoint's config.
    """

    def __init__(self, config: Gemma4Config) -> None:
        super().__init__()
        text = config.text
        self.model = Decoder(text, config.tokens)
        self._softcap = text.final_logit_softcapping
        if not text.tie_word_embeddings:
            self.lm_head = nn.Linear(text.hidden_size, text.vocab_size, bias=False)

    def __call__(
        self, ids: mx.array, *, cache: list[Any], soft: SoftTokens | None, keep: Keep
    ) -> mx.array | None:
        """As `Decoder`, with logits [1, kept, vocabulary] instead of hidden states."""
        hidden = self.model(ids, cache=cache, soft=soft, keep=keep)
        if hidden is None:
            return None
        if "lm_head" in self:
            logits = self.lm_head(hidden)
        else:
            logits = self.model.embed_tokens.as_linear(hidden)
        return logits if self._softcap is None else logit_softcap(self._softcap, logits)


class Gemma4(nn.Module):
    """A Gemma 4 of any size.

    Args:
        config: As read from the checkpoint.
    """

    def __init__(self, config: Gemma4Config) -> None:
        super().__init__()
        self._config = config
        self.language_model = LanguageModel(config)
        if config.vision is not None:
            self._give_sight(config.vision, config.text.hidden_size)
        if config.audio is not None:
            self._give_hearing(config.audio, config.text.hidden_size)

    def _give_sight(self, vision: VisionConfig | PatchEmbedderConfig, width: int) -> None:
        if isinstance(vision, PatchEmbedderConfig):
            self.vision_embedder = PatchEmbedder(vision)
            inputs = vision.embed_dim
        else:
            self.vision_tower = VisionTower(vision)
            inputs = vision.hidden_size
        self.embed_vision = Embedder(inputs, width, eps=vision.rms_norm_eps)

    def _give_hearing(self, audio: AudioConfig | WaveformEmbedderConfig, width: int) -> None:
        if isinstance(audio, WaveformEmbedderConfig):
            inputs = audio.samples_per_token
        else:
            self.audio_tower = AudioTower(audio)
            inputs = audio.output_proj_dims
        self.embed_audio = Embedder(inputs, width, eps=audio.rms_norm_eps)

    def __call__(
        self,
        ids: mx.array,
        *,
        cache: list[Any],
        soft: SoftTokens | None = None,
        last_only: bool = False,
    ) -> mx.array:
        """Logits after each of these tokens, advancing `cache`.

        Args:
            ids: [1, length], integers; placeholders where `soft` has its rows. What `unsplittable`
                names must be here whole or not at all.
            cache: From `make_cache`, possibly advanced by earlier calls.
            soft: Soft tokens of this stretch, positions counted from its first token.
            last_only: Compute only the last position's, which skips much of a long prefill.

        Returns:
            [1, length, vocabulary], or [1, 1, vocabulary] with `last_only`.
        """
        logits = self.language_model(
            ids, cache=cache, soft=soft, keep="last" if last_only else "all"
        )
        assert logits is not None
        return logits

    def prefill(self, ids: mx.array, *, cache: list[Any], soft: SoftTokens | None = None) -> None:
        """Advance `cache` by these tokens without computing any logits.

        Nothing happens until the cache's state is evaluated. Arguments as for a call.
        """
        self.language_model(ids, cache=cache, soft=soft, keep="none")

    def make_cache(self) -> list[Any]:
        """Empty caches for one conversation: mlx-lm's, one for each layer with keys of its own."""
        return self.language_model.model.make_cache()

    def unsplittable(self, ids: Sequence[int]) -> tuple[tuple[int, int], ...]:
        """Start and stop of what one call must take whole: pictures, if they are seen both ways.

        Args:
            ids: The whole prompt.
        """
        if self._config.text.picture_attention == "causal":
            return ()
        return picture_runs(ids, self._config.tokens.pictures)

    def soft_token_count(self, features: ImageFeatures | AudioFeatures) -> int:
        """How many soft tokens this model makes of a picture or a clip."""
        if isinstance(features, ImageFeatures):
            return features.token_count
        if isinstance(self._config.audio, WaveformEmbedderConfig):
            return len(features.waveform)
        return features.token_count

    def encode_image(self, features: ImageFeatures) -> mx.array:
        """Soft tokens of one picture.

        Args:
            features: As preprocessing made them.

        Returns:
            [soft tokens, hidden], lazy, in the decoder's width.

        Raises:
            CapabilityError: The checkpoint cannot see.
            LimitError: The picture is so elongated that the model has no place for its far end.
        """
        vision = self._config.vision
        if vision is None:
            raise CapabilityError(
                "This model cannot see.", "Remove the picture or load a model that sees."
            )
        is_unified = isinstance(vision, PatchEmbedderConfig)
        length = max(features.grid) // (vision.pooling_kernel_size if is_unified else 1)
        if length > vision.position_embedding_size:
            raise LimitError(
                "The picture is too elongated for this model at this token budget.",
                "Crop it, or choose a smaller budget.",
            )
        pixels = mx.array(features.pixel_values)
        if is_unified:
            return self.embed_vision(self.vision_embedder(pixels, features.grid))
        positions = mx.array(features.positions)
        return self.embed_vision(self.vision_tower(pixels, positions, features.grid))

    def encode_audio(self, features: AudioFeatures) -> mx.array:
        """Soft tokens of one clip.

        Args:
            features: As preprocessing made them.

        Returns:
            [soft tokens, hidden], lazy, in the decoder's width.

        Raises:
            CapabilityError: The checkpoint cannot hear.
        """
        audio = self._config.audio
        if audio is None:
            raise CapabilityError(
                "This model cannot hear.", "Remove the clip or load E2B, E4B or 12B."
            )
        if isinstance(audio, WaveformEmbedderConfig):
            # Full precision ends where the decoder's begins: the projection may be quantised.
            dtype = self.language_model.model.norm.weight.dtype
            return self.embed_audio(mx.array(features.waveform).astype(dtype))
        return self.embed_audio(self.audio_tower(mx.array(features.input_features)))
