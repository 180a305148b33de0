"""The first room: a master becomes renditions, each in two variants."""
