"""dunwell: an agent for accounts receivable that writes what it did back into the books, exactly once."""

__version__ = "0.1.0"
__all__ = ["__version__"]
