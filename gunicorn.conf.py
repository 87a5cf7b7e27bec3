"""gunicorn for the web process. BIND, or PORT, says where; WEB_CONCURRENCY and WEB_THREADS say how much at once."""

import os

port = os.environ.get("PORT", "")
bind = os.environ.get("BIND") or (f"0.0.0.0:{port}" if port else "127.0.0.1:8000")
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
threads = int(os.environ.get("WEB_THREADS", "8"))
worker_class = "gthread"
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108 - heartbeats must not wait for a disk
chdir = os.path.dirname(os.path.abspath(__file__))
timeout = 30
graceful_timeout = 20
keepalive = 30
max_requests = 20000
max_requests_jitter = 2000
accesslog = None
errorlog = "-"
loglevel = os.environ.get("LOG_LEVEL", "warning")
forwarded_allow_ips = os.environ.get("FORWARDED_ALLOW_IPS", "127.0.0.1")
