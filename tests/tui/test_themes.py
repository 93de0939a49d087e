"""Every theme: text can be read, and what the keys act on is told by more than a colour."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from rich.color import ColorType
from textual.color import Color
from textual.constants import TEXTUAL_ANIMATIONS

from gemma_tui.frontend.commands import THEME_NAMES
from gemma_tui.settings.schema import SCHEMA
from gemma_tui.tui.themes import (
    MIN_CONTRAST,
    TERMINAL,
    themes,
)
from tests.tui.scenes import SCENES, Scene

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from rich.segment import Segment

    from tests.tui.conftest import Opener, Running

DRAWN = set("┏┓┗┛╍╏─│╭╮╰╯╌┆┌┐└┘━┃▏▎▌▐█▁▔▂▃▄▅▆▇▊▍·✕×…┊╎┄┈▕┼├┤")
"""Lines, bars and marks, which need to be seen, not read."""


def segments(running: Running) -> Iterator[Segment]:
    """What the widgets of the top screen show, as the terminal gets it; not what lies behind."""
    screen = running.app.screen
    for y, strip in enumerate(screen._compositor.render_strips()):
        x = 0
        for segment in strip:
            if x < screen.size.width and screen.get_widget_at(x, y)[0] is not screen:
                yield segment
            x += segment.cell_length


def luminance(color: Color) -> float:
    """Relative luminance by WCAG 2.2."""

    def linear(value: int) -> float:
        share = value / 255
        return share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4

    return 0.2126 * linear(color.r) + 0.7152 * linear(color.g) + 0.0722 * linear(color.b)


def contrast(one: Color, other: Color) -> float:
    """The contrast of two colours by WCAG 2.2, 1 to 21."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def worst(running: Running) -> tuple[float, str]:
    """The text that is hardest to read, and its contrast."""
    found = [(21.0, "")]
    for text, style, _ in segments(running):
        words = text.strip()
        if not words or set(words) <= DRAWN or style is None:
            continue
        assert style.color is not None, words
        assert style.bgcolor is not None, words
        front, back = Color.from_rich_color(style.color), Color.from_rich_color(style.bgcolor)
        found.append((contrast(front, back), f"{words} {front.hex} on {back.hex}"))
    return min(found)


def written_colours(running: Running) -> set[ColorType]:
    """The kinds of colours on the screen."""
    styles = [style for _, style, _ in segments(running) if style]
    colors = [color for style in styles for color in (style.color, style.bgcolor) if color]
    return {color.type for color in colors}


def test_contrast_is_that_of_wcag() -> None:
    assert contrast(Color.parse("#fff"), Color.parse("#000")) == pytest.approx(21)
    assert contrast(Color.parse("#777"), Color.parse("#fff")) == pytest.approx(4.48, abs=0.01)


def test_the_command_the_setting_and_the_themes_have_the_same_names() -> None:
    names = [theme.name for theme in themes()]
    assert [f"gemma-{name}" for name in THEME_NAMES] == names
    assert [value for value, _ in SCHEMA["theme"].about.choices] == list(THEME_NAMES)


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
async def test_all_text_can_be_read(open_app: Opener, tmp_path: Path, scene: Scene) -> None:
    opened = open_app(scene.engine(), size=(100, 40), microphone=scene.microphone())
    async with opened as running:
        await scene.show(running, tmp_path)
        for theme in (*MIN_CONTRAST, TERMINAL):
            running.app.theme = theme
            if scene.keeps_colours:
                await running.pilot.press("escape")
                await scene.show(running, tmp_path)
            await running.pilot.pause()
            if theme == TERMINAL:
                assert written_colours(running) <= {ColorType.DEFAULT, ColorType.STANDARD}
            else:
                least, where = worst(running)
                assert least >= MIN_CONTRAST[theme] - 0.005, f"{theme}: {least:.2f} of {where}"


async def test_without_colours_none_is_written_and_what_is_chosen_is_in_reverse(
    open_app: Opener, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    scenes = {scene.name: scene for scene in SCENES}
    for name in ("chips", "list", "settings"):
        scene = scenes[name]
        async with open_app(scene.engine(), size=(100, 40)) as running:
            await scene.show(running, tmp_path)
            shown = list(segments(running))
            assert written_colours(running) <= {ColorType.DEFAULT}
            assert any(style and style.reverse and text.strip() for text, style, _ in shown), name
    scene = scenes["models"]
    async with open_app(scene.engine(), size=(100, 40)) as running:
        await scene.show(running, tmp_path)
        chosen = [text for text, style, _ in segments(running) if style and style.underline]
        assert any("built-in demo" in text for text in chosen)


async def test_what_has_the_focus_is_told_by_its_shape(open_app: Opener) -> None:
    async with open_app() as running:
        with_focus = running.composer.styles.border_top[0]
        running.conversations.focus()
        await running.pilot.pause()
        assert running.composer.styles.border_top[0] != with_focus


@pytest.mark.parametrize("is_reduced", [True, False])
async def test_reduced_motion_stops_blinking_and_sliding(
    open_app: Opener, is_reduced: bool
) -> None:
    environ = {"GEMMA_TUI_REDUCED_MOTION": str(is_reduced).lower()}
    async with open_app(environ=environ) as running:
        line = await running.typed_path()
        await running.until(lambda: line.has_focus)
        await running.until(lambda: line.cursor_blink is not is_reduced)
        assert running.app.animation_level == ("none" if is_reduced else TEXTUAL_ANIMATIONS)
