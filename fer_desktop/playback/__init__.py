"""Files: playing them, analysing them beside it, and what is kept about them."""
