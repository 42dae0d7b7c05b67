"""Take a song apart into stems."""
