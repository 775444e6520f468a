"""Schema migrations, shipped with the package so that code and schema travel together."""
