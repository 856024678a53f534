"""The world as a whole: its tables over its state, how rows change, and what happens while time passes."""
