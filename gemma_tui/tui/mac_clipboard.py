"""The script that reads the clipboard of a Mac: JavaScript for Automation, run by `osascript`.

One run tells everything: paths of copied files, the text, the picture in base64, and what else is
offered (https://developer.apple.com/documentation/appkit/nspasteboard). Not verified on hardware.
"""

from __future__ import annotations

from typing import Final

SCRIPT: Final = """
ObjC.import("AppKit");
const board = $.NSPasteboard.generalPasteboard;
const kinds = ObjC.deepUnwrap(board.types) || [];
const items = ObjC.unwrap(board.pasteboardItems) || [];
const files = items
  .map((item) => item.stringForType("public.file-url"))
  .filter((url) => !url.isNil())
  .map((url) => ObjC.unwrap($.NSURL.URLWithString(url).path))
  .filter((path) => path);
const words = board.stringForType("public.utf8-plain-text");
const text = words.isNil() ? "" : ObjC.unwrap(words);
const wanted = ["public.png", "public.jpeg", "public.heic", "public.tiff", "com.compuserve.gif"];
const kind = wanted.find((name) => kinds.includes(name)) || "";
let picture = "";
if (kind && !files.length && !text) {
  const data = board.dataForType(kind);
  picture = data.isNil() ? "" : ObjC.unwrap(data.base64EncodedStringWithOptions(0));
}
JSON.stringify({ files, text, kind, picture, kinds });
"""
