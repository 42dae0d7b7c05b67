"""Follow-ups of acknowledged callbacks: files written, downloads, commands and handlers, retried until done."""
