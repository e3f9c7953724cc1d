"""Who asks, and do they mean it: links, codes, the second factor, the confirmation."""
