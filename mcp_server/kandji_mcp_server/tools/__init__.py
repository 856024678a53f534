"""The tools, a module for each kind. Models see an ``async`` function's name, signature and docstring."""
