"""Renders prompts with videos as the reference does and writes `video_prompts.json` beside this.

    TORCH_PYTHON -m tests.golden.make_video_prompts E2B_TEMPLATE 31B_TEMPLATE

The canonical chat template renders `<|video|>`; `Gemma4Processor.replace_video_token` of transformers
puts the frames in its place, each behind its time, which is the frame's number over the frame rate.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from jinja2.sandbox import ImmutableSandboxedEnvironment
from transformers.models.gemma4.processing_gemma4 import Gemma4Processor
from transformers.video_utils import VideoMetadata

VIDEO = {"type": "video"}
SPEAKER: Any = SimpleNamespace(boi_token="<|image>", video_token="<|video|>", eoi_token="<image|>")

CASES: dict[str, tuple[list[dict[str, Any]], list[dict[str, Any]]]] = {
    "a video and a question": (
        [VIDEO, {"type": "text", "text": " What happens? "}],
        [{"fps": 25.0, "indices": [0, 25, 50, 74], "tokens": 3}],
    ),
    "one frame": ([VIDEO], [{"fps": 24.0, "indices": [0], "tokens": 2}]),
    "text in front": (
        [{"type": "text", "text": "Look:"}, VIDEO],
        [{"fps": 30.0, "indices": [0, 15, 45], "tokens": 1}],
    ),
    "two videos": (
        [VIDEO, VIDEO, {"type": "text", "text": "Compare."}],
        [
            {"fps": 10.0, "indices": [0, 9], "tokens": 1},
            {"fps": 50.0, "indices": [0, 100], "tokens": 2},
        ],
    ),
    "hours": ([VIDEO], [{"fps": 1.0, "indices": [0, 59, 60, 3599, 3600, 35_999], "tokens": 1}]),
}
"""Content of a question, and what is known of its videos."""


def rendered(template: str, case: str) -> str:
    """The whole prompt as text."""
    content, videos = CASES[case]
    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
    text = environment.from_string(template).render(
        messages=[{"role": "user", "content": content}],
        bos_token="<bos>",
        add_generation_prompt=True,
    )
    for video in videos:
        metadata = VideoMetadata(
            total_num_frames=100_000, fps=video["fps"], frames_indices=video["indices"]
        )
        inputs = {"num_soft_tokens_per_video": [video["tokens"]], "video_metadata": [metadata]}
        frames = Gemma4Processor.replace_video_token(SPEAKER, inputs, 0)
        before, mark, after = text.partition("<|video|>")
        assert mark
        # What is put in has the mark in it: it must not be found again for the next video.
        text = before + frames.replace("<|video|>", "<|frame|>") + after
    return text.replace("<|frame|>", "<|video|>")


def main() -> None:
    templates = [Path(name).read_text("utf-8") for name in sys.argv[1:]]
    found = [
        {
            "name": name,
            "content": CASES[name][0],
            "videos": CASES[name][1],
            "open": rendered(templates[0], name),
            "empty thought": rendered(templates[1], name),
        }
        for name in CASES
    ]
    target = Path(__file__).with_name("video_prompts.json")
    target.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    main()
