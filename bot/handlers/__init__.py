"""What people send besides photos: commands, buttons, corrections."""
