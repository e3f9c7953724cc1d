"""A made-up AI-API company to try the desk on: its tables, its people, and the data map that describes it."""
