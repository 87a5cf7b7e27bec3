"""The WSGI application that gunicorn serves."""

from core.config import settings
from ussd_app.app import create_app

app = create_app(settings())
