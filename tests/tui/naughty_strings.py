"""Texts that have broken terminals, editors and parsers, made here in the spirit of such lists.

By what they try: sequences that act, their 8-bit and broken forms, characters that hide or reorder,
widths nobody agrees on, and texts that some parser takes for its own.
"""

from __future__ import annotations

from typing import Final

_ESC, _BEL, _ST, _CSI, _OSC, _DCS = "\x1b", "\x07", "\x1b\\", "\x1b[", "\x1b]", "\x1bP"

ACTING: Final = (
    f"{_CSI}2J{_CSI}H",  # clear everything
    f"{_CSI}3J",  # and the scrollback
    f"{_CSI}31mred{_CSI}0m",
    f"{_CSI}8mhidden",
    f"{_CSI}?1049l",  # leave the alternate screen
    f"{_CSI}?25l{_CSI}?1000h{_CSI}?2004l",
    f"{_CSI}6n{_CSI}c{_CSI}>q{_CSI}0x",  # questions whose answers arrive as typed keys
    f"{_CSI}21t{_CSI}20t",  # asks for the title, which comes back as input
    f"{_CSI}5i echo{_CSI}4i",  # the printer
    f"{_CSI}1;24r{_CSI}99A{_CSI}99D",
    f"{_CSI}4h{_CSI}20h",
    f"{_CSI}!p{_ESC}c",  # resets
    f"{_CSI}200~rm -rf ~\n{_CSI}201~",  # a paste in a paste
    f"{_CSI}201~\nrm -rf ~\n",
    f"{_CSI}?2026h",  # a frame that never ends
    f"{_CSI}>4;2m{_CSI}=7u{_CSI}<99u",
    f"{_OSC}0;title{_BEL}",
    f"{_OSC}2;title{_ST}",
    f"{_OSC}0;never ended",
    f"{_OSC}4;1;#ff0000{_BEL}",
    f"{_OSC}7;file:///etc{_BEL}",
    f"{_OSC}8;;file:///etc/passwd{_ST}click{_OSC}8;;{_ST}",
    f"{_OSC}8;;javascript:alert(1){_BEL}link{_OSC}8;;{_BEL}",
    f"{_OSC}9;notify{_BEL}",
    f"{_OSC}10;?{_BEL}{_OSC}11;?{_BEL}",
    f"{_OSC}50;?{_BEL}",
    f"{_OSC}52;c;cm0gLXJmIH4K{_BEL}",  # writes the clipboard
    f"{_OSC}52;c;?{_BEL}",  # reads it
    f"{_OSC}133;A{_BEL}{_OSC}633;P;x{_BEL}",
    f"{_OSC}777;notify;a;b{_BEL}",
    f"{_OSC}1337;File=name=eA==;inline=1:AAAA{_BEL}",
    f"{_OSC}1337;CopyToClipboard={_BEL}",
    f"{_OSC}30001{_ST}",
    f"{_DCS}q#0;2;0;0;0#0!9~{_ST}",  # sixel
    f"{_DCS}$qm{_ST}{_DCS}+q544e{_ST}",
    f"{_DCS}1000p%begin{_ST}",  # tmux control
    f"{_DCS}tmux;{_ESC}{_ESC}]52;c;eA=={_BEL}{_ST}",
    f"{_ESC}_Gf=24,s=1,v=1;AAAA{_ST}",  # a picture
    f"{_ESC}^privacy{_ST}{_ESC}Xstring{_ST}",
    f"{_ESC}7{_ESC}8{_ESC}D{_ESC}M{_ESC}E{_ESC}#8",
    f"{_ESC}(0lqqk{_ESC}(B",  # line drawing instead of letters
    f"{_ESC}n{_ESC}o\x0e\x0f",
    f"{_ESC}%@{_ESC}%G",
    f"{_ESC}]{_ESC}]{_ESC}[{_ESC}[",
    f"a{_ESC}",
    f"{_CSI}",
    f"{_CSI}9999999999999999999999;1H",
    f"{_CSI}1\x18\x1a\x9b31m",
    f"{_OSC}22;none{_BEL}{_OSC}66;s=7;huge{_BEL}",  # the pointer, and letters of another size
    f"{_OSC}99;i=1:d=0;notify{_ST}{_OSC}5113;ac=send{_ST}",  # kitty: a note, and a file
    f"{_OSC}104{_BEL}{_OSC}112{_BEL}{_OSC}13;red{_BEL}",
    f"{_OSC}0;ended by \x9c{_OSC}0;ended by {_ESC}x",
    f"{_CSI}22;0t{_CSI}23;0t{_CSI}8;1;1t{_CSI}2t",  # the window: its title, size, iconified
    f"{_CSI}1;1;1;1;1;1*y{_CSI}?1;2c{_CSI}>0T",  # the checksum of what is on the screen
    f"{_CSI}8:1m{_CSI}38:2::0:0:0m{_CSI}4:3munder",
    f"{_CSI}s{_CSI}u{_CSI}?69h{_CSI}5;10s{_CSI}2@{_CSI}3P{_CSI}4X{_CSI}5L{_CSI}6M",
    f"{_CSI}?1000;1006;1015h{_CSI}?47h{_CSI}?5h{_CSI}?3h{_CSI}2 q",
    f"{_CSI}9b{_CSI}99b",  # says the last letter again
    f"{_ESC} F{_ESC} G{_ESC}=\t{_ESC}>{_ESC}N1{_ESC}O2{_ESC}V{_ESC}W{_ESC}Z{_ESC}l",
    f"{_ESC}{_ESC}{_ESC}[A{_ESC}OP{_ESC}[24~{_ESC}[97;5u",  # keys, as a terminal would send them
    f"{_CSI}{_ESC}{_CSI}?{_OSC}{_DCS}{_CSI} {_CSI}\x00\x00m",  # broken off in the middle
    "\x9b31m\x9d0;title\x9c\x90q\x9c\x9f\x9e\x98",  # the 8-bit forms
    "\x05\x07\x08\x0b\x0c\x0d\x0e\x0f\x11\x13\x7f",
    "over\rwritten",
    "over\b\b\b\bwritten",
    "".join(chr(code) for code in range(0x20)),
    "".join(chr(code) for code in range(0x7F, 0xA1)),
)
"""What a terminal would obey."""

HIDING: Final = (
    "\x00nul\x00",
    "\u202egnp.exe\u202c",
    "\u2066left\u2069\u2067right\u2069\u2068first\u2069",
    "\u200e\u200f\u061c\u202a\u202b\u202d",
    "pass\u200bword\u2060\ufeff\u00ad",
    "\U000e0041\U000e0042\U000e007f",  # tags: an instruction nobody sees
    "".join(chr(0xE0100 + n) for n in range(16)),
    "\u2028line\u2029paragraph\x85next",
    "\u115f\u1160\u3164\uffa0",
    "\ufff9note\ufffaabove\ufffb\ufffe\uffff",
    "\ud800 \udfff",
    "\U0010ffff\U0001fffe\ue000",
    "\ufe00\ufe0f\u20e3",
    "".join(chr(code) for code in range(0xFFF0, 0xFFFF)),
    "\U0001bca0\U0001bca1\U0001bca2\U0001bca3",  # controls of shorthand
    "\U0001d173\U0001d17a\u206a\u206f\u2061\u2064",
    "\u180b\u180e\u180f\u17b4\u17b5\u034f",
    "\u2800\u00a0\u2007\u202f blank, and yet there",
    "\ufdd0\ufdef\U0001ffff\U0010fffe",  # no characters
    "admin\u200d\u200c\u200d\u200c",
    "\u202dleft\u202eright\u2066inside",  # never ended
    "// check\u2029return\u2028 } \u2066// done\u2069",  # code that reads otherwise
    "\U0010eeee\u0305\u0305 a piece of a picture",
)
"""Characters that hide, reorder, or cannot be encoded."""

WIDE: Final = (
    "田中さんにあげて下さい",
    "社會科學院語學研究所",
    "𠜎𠜱𠝹𠱓𠱸𠲖𠳏",
    "ﾊﾝｶｸ ｶﾅ ＦＵＬＬ　ＷＩＤＴＨ",
    "울란바토르 \u1112\u1161\u11ab",
    "👩‍👩‍👧‍👦 👨🏿‍🚀 🏳️‍🌈 🏴󠁧󠁢󠁳󠁣󠁴󠁿 🇭🇺🇯🇵 1️⃣ ❤️ ☎︎ ☎️",
    "👍🏻👍🏼👍🏽👍🏾👍🏿🏻",
    "🇦🇧🇨",
    "Z\u0351\u036b\u0343\u036a\u0302\u036b\u033d\u034f\u0334\u0319\u0324a\u0321\u0347l\u0317g\u0301o\u0489",
    "e\u0301" * 40,
    "a" + "\u0300" * 400,
    "\u0300 at the beginning",
    "مُنَاقَشَةُ سُبُلِ اِسْتِخْدَامِ اللُّغَةِ",
    "בְּרֵאשִׁית, בָּרָא אֱלֹהִים",
    "می‌خواهم نمی‌دانم",
    "हिन्दी क्ष्म்ய தமிழ் ไทยจ๋า မြန်မာ",
    "﷽ ﷺ ⸻ 𒐫 𒈙 ꧅",
    "‱ ½ ℕ ∑ ∮ ⊆ ⟨⟩ ⎛⎞ ⏞",
    "╔═╗║█▓▒░⣿⡇",
    "\tone\t\ttwo\t",
    " ".join("　\u2000\u2003\u200a\u205f\u1680\u00a0"),
    "ﬁ ﬃ ǆ ŉ ẞ İı ſ",
    "Ⱥ Ⱦ ᾳ ΐ",  # other lengths in the other case
    "𝕋𝕙𝕖 𝓺𝓾𝓲𝓬𝓴 𝖇𝖗𝖔𝖜𝖓 ⒡⒪⒳ ꜰᴏx ʇunpoɹd",
    "١٢٣ ੧੨ ０１２ ⑴⑵ 𝟙𝟚",
    "\u169b\u1681\u1684\u1690\u169c ᚠᛇᚻ 𓂀𓃭\U00013430𓂀 ༺༻",
    "ヽ༼ຈل͜ຈ༽ﾉ (╯°□°）╯︵ ┻━┻ ¯\\_(ツ)_/¯",
    "لُلُصّبُلُلصّبُررً ॣ ॣh ॣ ॣ 冗",  # stopped a telephone once
    "జ్ఞ\u200cా ಠ_ಠ",
    "Ã© â€œ ï»¿ Â£ mojibake",
    "ℹ️‼️⁉️㊙️🈁🅰🀄🃏⌚️⏏︎",
)
"""What terminals and libraries disagree about the width of."""

MISREAD: Final = (
    "",
    " ",
    "undefined null None true NaN Infinity -0 1e309 0x00 1/0",
    "[bold]markup[/bold] [@click=app.quit]click[/] [link=file:///etc]x[/link] [/] [[",
    "$foreground $primary {variable} %s %n %d $(touch x) `touch x` ${x} $HOME",
    "; rm -rf ~ && echo | tee > x < y",
    "' OR 1=1 -- \"; DROP TABLE message; --",
    'MATCH "unclosed AND OR NOT NEAR( * ^ title:x -',
    "<script>alert(1)</script><img src=x onerror=alert(1)><!-- --><![CDATA[ ]]>",
    "&lt;&amp;&#27;[2J&#x1b;[2J",
    "<start_of_turn>user <|turn>model\n<turn|> <bos> <eos> <|image|> <|channel>thought",
    "```\n```\n~~~\n````\n```python\n",
    "| a | b |\n|---|\n| | | | |\n|-",
    "# \n## \n- \n1. \n> \n> > >\n***\n___\n---\n===",
    "![](file:///etc/passwd) [x](javascript:alert(1)) <http://a b> [a]: http://x",
    "[" * 200 + "]" * 200,
    "*" * 500,
    "_" * 300 + "`" * 301,
    "> " * 120 + "deep",
    "- " * 120 + "deep",
    "$$\\frac{1}{0}$$ $x$ \\(y\\) $5 and $6 $",
    "../../../etc/passwd ..\\..\\windows C:\\CON NUL COM1 ~root",
    "file:///etc/passwd%00.png",
    "-rf --help -- @/etc/passwd",
    "\\ \\\\ \\n \\x1b[2J \\033[2J \\u001b[2J ^[[2J",
    "long" * 2000,
    "\n" * 200,
    "\r\n\r\n",
    "{{ 7*7 }} {% import os %} <%= 1 %> #{1} ${{1}}",
    '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>',
    "DCC SEND STARTKEYLOGGER 0 0 0",
    "__proto__ constructor toString hasOwnProperty __class__.__mro__",
    "2024-02-30T25:61:61Z 1e-400 ٠x１ 1_000 0b2 9223372036854775808",
    "C:CON.png LPT1 .. . ~ *.* nul.txt:stream",
    "\ufeffBOM first",
    "+ADw-script+AD4- =cmd|' /C calc'!A0 @SUM(1)",
    '@/etc/passwd @~root/ @"unclosed',
    "/quit /delete /export /etc/passwd //double",
    "[x][y] [^1] [^1]: note\n\n[y]: javascript:x <!doctype> &#x202e; &#27; &#155; &NewLine; &shy;",
    "<http://аpple.com> [apple.com](http://аpple.com) [https://a.b](https://c.d)",
)
"""What some parser on the way could take for its own."""

NAUGHTY: Final = (*ACTING, *HIDING, *WIDE, *MISREAD)
"""All of them."""
