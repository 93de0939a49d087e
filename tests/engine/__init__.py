"""The pipe, the process and its client."""
