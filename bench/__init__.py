"""The performance harness: `python -m bench`. Not part of the product, not shipped."""
