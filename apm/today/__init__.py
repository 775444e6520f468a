"""What concerns one person today."""
