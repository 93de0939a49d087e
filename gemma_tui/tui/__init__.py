"""The full-screen app: the only package that imports textual.

Textual waits `ESCDELAY` ms after an Esc byte for the rest of a key's escape sequence, 100 unless
told otherwise. Esc has to stop a reply within 100 ms, so it waits for 25 here, as vim and tmux do.

What changed is painted at the next tick of a clock of `TEXTUAL_FPS`, 60 unless told otherwise; but
that clock leaves out a tick after each pause (textual 8.2.8), so a key beside text that streams
waited for up to 33 ms. The ticks are four times as close here. Only what changes is painted, so it
costs nothing: text comes 30 times a second, animations move 60 times.
"""

import os

# Both are read once, when textual is first imported.
os.environ.setdefault("ESCDELAY", "25")
os.environ.setdefault("TEXTUAL_FPS", "240")
