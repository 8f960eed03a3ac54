"""The demo: the whole path once, told step by step, through the same commands that an operator types."""
