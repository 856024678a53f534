"""What can be asked for by name: tables, views, macros, named queries and devices."""
