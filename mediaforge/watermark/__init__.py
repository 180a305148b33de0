"""The third room: which variant of each segment a recipient gets, and who a leak names."""
