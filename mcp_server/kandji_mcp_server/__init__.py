"""The mirror as a Model Context Protocol server: what AI assistants can ask of it.

``server`` builds it from the tools of ``tools``; ``main`` serves it over stdio.
"""
