"""Pictures of answers: what a query's header says of its chart, as a specification, drawn, or as text."""
