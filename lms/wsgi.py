"""The WSGI entry point that gunicorn serves."""

import os
import threading

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("PORTAL_PROCESS", "web")  # its statements and locks are bounded in time
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lms.settings")
application = get_wsgi_application()

from rest_contract.documents import document  # noqa: E402  (Django must be set up)

# The first request for the REST document needn't wait until it is made.
threading.Thread(target=document, name="rest document", daemon=True).start()
