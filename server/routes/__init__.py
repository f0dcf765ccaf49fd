"""HTTP routes, one module per noun; each translates between JSON and the rooms and decides nothing itself."""
