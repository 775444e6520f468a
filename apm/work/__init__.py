"""Work orders: from planned to signed, with their checklists, costs and downtime."""
