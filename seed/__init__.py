"""What the program starts with: catalogues as YAML, and the demo hospital's generator."""
