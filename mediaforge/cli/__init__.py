"""The roof: each command parses, calls what lies below, and prints. click and rich live only here."""
