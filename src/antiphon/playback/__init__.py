"""Long files piece by piece, as the console plays them: decoded by processes that stay warm for a while."""
