"""What the user has decided: a typed schema, a TOML file, and where each value comes from."""
