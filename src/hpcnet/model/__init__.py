"""The nouns of the house: frozen values without behaviour towards the world."""
