"""Who may do what: the permission table, and every operation asked for by everybody."""
