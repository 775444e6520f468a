"""Tickets: repair requests and work orders, from a reported fault to a machine back in use."""
