"""Writing down what is said in a sound, clip by clip."""
