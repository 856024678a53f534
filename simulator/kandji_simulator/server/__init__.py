"""The simulated tenant over HTTP on loopback."""
