"""How good a model is: its answers, their scores and calibration, and the card that tells them."""
