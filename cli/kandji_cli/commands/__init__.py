"""What can be typed: the arguments of each command. A command imports its work when it runs."""
