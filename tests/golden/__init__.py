"""Answers of the reference implementation, and the scripts that write them down."""
