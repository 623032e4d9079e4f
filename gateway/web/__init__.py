"""Pages: the guest's, the staff's and the workbench, rendered on the server."""
