"""Live actions for AI clients: one tool a record, there only where actions are switched on."""
