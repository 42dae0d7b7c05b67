"""What may be dialled, and how: guarded connections to addresses that strangers name."""
