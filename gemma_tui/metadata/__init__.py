"""What a picture's file says beside the picture: where, when, by whom and with what it was taken.

Containers are rewritten byte by byte, pixels are never decoded, so what is shown stays exactly the
same. Knows no store and no screen; pure Python, for the process that may load no decoders.
"""
