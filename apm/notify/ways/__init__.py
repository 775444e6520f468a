"""Ways out of the program, one module each; `send` is the table of them."""
