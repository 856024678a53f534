"""The writer's side of the store: one lock, new files under new names, one manifest that makes them current."""
