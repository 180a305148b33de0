"""Live streams: their playlists, the guarded child that follows them, what is kept of them, and when to raise an alarm."""
