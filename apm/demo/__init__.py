"""The demo: simulated sensors, known logins and a tour, never part of a production server."""
