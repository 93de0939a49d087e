"""Page keys in lists that have not been laid out yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.widgets import OptionList

if TYPE_CHECKING:
    from tests.tui.conftest import Opener


async def test_page_keys_of_a_list_that_has_no_size_yet_do_nothing(open_app: Opener) -> None:
    async with open_app() as running:
        await running.pilot.press("f2")
        await running.until(lambda: running.app.screen.query(OptionList))
        options = running.app.screen.query(OptionList).first()
        options.styles.height = 0
        await running.until(lambda: not options.scrollable_content_region)
        options.add_option("a line that no layout has made")
        options.highlighted = options.option_count - 1
        await options.run_action("page_down")
        await options.run_action("page_up")
        assert options.highlighted == options.option_count - 1
