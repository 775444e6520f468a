"""One module a protocol, loaded when a connection speaks it: some take seconds to import."""
