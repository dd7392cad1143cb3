"""nginx in front of the replicas: a child process with a configuration of its own, changed without losing a request."""

import os
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

from loadtests import children
from loadtests.children import ChildError
from loadtests.web import free_port, wait_for

_BODY_BYTES = 32 * 2**20  # the service's own limit
_CONFIGURATION = """\
daemon off;
{user}worker_processes 1;
pid {folder}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  client_max_body_size {body_bytes};
  # After a reload the old worker closes idle connections; a client that sends on one just then would lose its request.
  keepalive_timeout 0;
  upstream replicas {{
    {servers}
  }}
  server {{
    listen 127.0.0.1:{port};
    location = /-/alive {{ return 200; }}
    location / {{
      proxy_pass http://replicas;
      proxy_http_version 1.1;
      proxy_set_header Host $http_host;
      proxy_read_timeout 120s;
      proxy_next_upstream off; # nothing is papered over: a failed request fails
    }}
  }}
}}
"""


class Proxy:
    """One nginx. Start it with no replicas, tell it which are ready, close it at the end.

    Args:
        folder: for its configuration and temporary files; an empty one.
    """

    def __init__(self, folder: Path) -> None:
        children.need("nginx", "setpriv")
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._folder = folder
        self._file, self._log = folder / "nginx.conf", folder / "nginx.log"
        self._write([])
        command = ["nginx", "-p", str(folder), "-c", str(self._file), "-e", "stderr"]
        self._process = children.start(command, log=self._log)
        try:
            wait_for(f"{self.url}/-/alive", self._process, timeout_s=20, log=self._log)
        except BaseException:
            self.close()
            raise

    def serve(self, ports: Sequence[int]) -> None:
        """From now on share the requests among these replicas, in turn; what runs goes on where it is."""
        if self._process.poll() is not None:
            raise ChildError(f"nginx ended by itself; its last words:\n{children.last_words(self._log)}")
        self._write(ports)
        checked = subprocess.run(
            ["nginx", "-t", "-q", "-p", str(self._folder), "-c", str(self._file), "-e", "stderr"],
            capture_output=True,
            text=True,
            check=False,
        )
        if checked.returncode:
            raise ChildError(f"nginx refuses the configuration: {checked.stderr.strip()}")
        self._process.send_signal(signal.SIGHUP)

    def close(self) -> None:
        """Finish what runs, briefly, and end."""
        self._process.send_signal(signal.SIGQUIT)
        children.stop(self._process, grace_s=5)

    def _write(self, ports: Sequence[int]) -> None:
        servers = " ".join(f"server 127.0.0.1:{port} max_fails=0;" for port in ports) or "server 127.0.0.1:9 down;"
        user = "user root;\n" if os.geteuid() == 0 else ""  # else its workers could not enter our folder
        text = _CONFIGURATION.format(
            user=user, folder=self._folder, servers=servers, port=self.port, body_bytes=_BODY_BYTES
        )
        self._file.write_text(text)
