"""The screens of the app: the chat, the help, and a place to type a path."""
