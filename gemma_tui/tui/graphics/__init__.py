"""Pictures as pixels, in terminals that show them; elsewhere they are drawn with characters."""
