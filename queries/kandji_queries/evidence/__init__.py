"""Dated evidence: by rules of compliance, which devices met a framework's controls on each day of a period."""
