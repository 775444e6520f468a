"""Analytics: what equipment costs, how reliable it is, how well it is maintained.  Reads only."""
