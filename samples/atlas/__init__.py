"""Atlas: a film of a minute, drawn by arithmetic. One file a scene; film.py cuts them together; sound.py is what one hears."""
