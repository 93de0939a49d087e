"""Conversations in SQLite, attachment bytes as files named by their sha256."""
