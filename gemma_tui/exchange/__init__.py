"""Conversations written to files that others read, and read from files that others wrote."""
