"""The control tokens of Gemma 4, by their real names, and the size of the tiny vocabulary."""

from __future__ import annotations

VOCABULARY = 1024
SPECIAL = (
    "<pad>", "<eos>", "<bos>", "<unk>", "<mask>", "<|turn>", "<turn|>", "<|image>", "<|image|>",
    "<image|>", "<|audio>", "<|audio|>", "<audio|>", "<|video|>", "<|think|>", "<|channel>",
    "<channel|>", "<|tool>", "<tool|>", "<|tool_call>", "<tool_call|>", "<|tool_response>",
    "<tool_response|>", '<|"|>',
)  # fmt: skip
"""Ids 0 up, in this order."""
