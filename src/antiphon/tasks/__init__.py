"""Tasks: their states and rows, the queue, their runs and their retention."""
