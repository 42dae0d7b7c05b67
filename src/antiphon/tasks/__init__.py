"""What a task is, where it is kept, how it runs and when it is forgotten."""
