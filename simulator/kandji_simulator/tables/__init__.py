"""The rows of every table as the provider sends them; the registry finds the modules in this folder."""
