"""What people of the desk decide: sort, ask, approve, refuse, extend, narrow, hold."""
