"""Live actions: resolved and shown first, confirmed by somebody, recorded, sent once, and followed afterwards."""
