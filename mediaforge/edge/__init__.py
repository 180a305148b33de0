"""The edge: what switches between the variants of a segment for each session, and what a session shows to get them."""
