"""The full-screen app: the only package that imports textual.

Textual waits `ESCDELAY` ms after an Esc byte for the rest of a key's escape sequence, 100 unless
told otherwise. Esc has to stop a reply within 100 ms, so it waits for 25 here, as vim and tmux do.
"""

import os

os.environ.setdefault("ESCDELAY", "25")  # read once, when textual is first imported
