"""Systems that hold personal data, behind one contract (base.py)."""
