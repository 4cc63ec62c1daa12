"""Variation of training samples; each function draws from the generator it is given alone."""
