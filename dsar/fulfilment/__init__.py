"""Carrying decisions out: locate, plan, run, settle."""
