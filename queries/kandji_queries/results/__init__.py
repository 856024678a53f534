"""Answers: their rows, values and notes, and the formats they are written in."""
