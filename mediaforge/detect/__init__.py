"""The fourth room: which title a suspect copy shows, and where."""
