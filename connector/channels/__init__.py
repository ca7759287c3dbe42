"""How letters are written and leave."""
