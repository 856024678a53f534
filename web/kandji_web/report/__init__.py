"""The report: the pictures of the fleet as one file that is mailed, printed and kept, and the list of these pictures.

``sections`` declares which section has which pictures; the overview page of ``serve`` shows the same.
"""
