"""Recording: a process that speaks to the audio system, files that survive it, values for it."""
