"""Documents of public feeds into tables: recognised, taken apart, and published as rows of the tenant are."""
