"""How each corpus lies on disk: one file per corpus, and the registry that names them."""
