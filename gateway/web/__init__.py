"""Pages: the guest's, the photographer's, the staff's and the workbench, rendered on the server.

A page asks the public API in its visitor's name (own_api.py), shapes the answer for its template, and holds no rule.
"""
