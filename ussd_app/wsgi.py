"""The WSGI application that the servers serve."""

from ussd_app.edge import application

app = application()
