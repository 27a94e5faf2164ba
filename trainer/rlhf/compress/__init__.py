"""Smaller and faster models from a checkpoint, each with a report of what that costs."""
