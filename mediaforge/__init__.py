"""mediaforge: masters in, protected packages out; leaks identified and traced back."""

__version__ = "0.1.0"
