"""A small hub on the loopback address: the routes that the hub's client asks for, and faults on demand.

Repositories have commits and names of them (branches, tags); files above `LARGE` bytes lie behind a redirect,
as the hub keeps weights. Every request is logged.
"""

import contextlib
import hashlib
import json
import os
import re
import socket
import struct
import threading
import urllib.parse
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

LARGE = 100_000
API = re.compile(r"/api/(?P<kind>models|datasets)/(?P<name>[^/]+/[^/]+)(?P<rest>/.*)?")
FILE = re.compile(r"/(?:(?P<kind>datasets)/)?(?P<name>[^/]+/[^/]+)/resolve/(?P<revision>[^/]+)/(?P<path>.+)")
STATUS = {"RepoNotFound": 401, "GatedRepo": 403, "RevisionNotFound": 404, "EntryNotFound": 404}


@dataclass
class Repository:
    """Files by commit, commits by the name of a branch or tag; a gated one shows its files to nobody."""

    commits: dict[str, Mapping[str, bytes]] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    gated: bool = False

    def commit(self, files: Mapping[str, bytes], name: str = "main") -> str:
        """Add a commit, let a branch or tag point at it, and return its hash."""
        content = b"".join(path.encode() + data for path, data in sorted(files.items()))
        found = hashlib.sha1(content + str(len(self.commits)).encode()).hexdigest()
        self.commits[found] = files
        self.names[name] = found
        return found


@dataclass
class Fault:
    """What goes wrong with requests whose "METHOD /path" matches, for a number of times.

    Kinds: "500"; "drop" closes the connection without an answer; "cut" closes it after half of a file, and
    "reset" does so in a way that the other side notices as an error.
    """

    kind: str
    where: str = ""
    times: int = 1_000_000


class Mirror(ThreadingHTTPServer):
    """The server; `log` holds (method, path, status) of every request in order."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.repositories: dict[tuple[str, str], Repository] = {}
        self.log: list[tuple[str, str, int]] = []
        self.faults: list[Fault] = []
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        # Another host's name, as a content network has: the client follows redirects to its own host at once.
        self.blobs = f"http://localhost:{self.server_address[1]}/blobs"

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of clients that went away."""

    def repository(self, name: str, kind: str = "models", gated: bool = False) -> Repository:
        """Return a new repository."""
        return self.repositories.setdefault((kind, name), Repository(gated=gated))

    @contextlib.contextmanager
    def failing(self, kind: str, where: str = "", times: int = 1_000_000) -> Iterator[None]:
        """Let requests fail while the context lasts."""
        self.faults = [Fault(kind, where, times)]
        try:
            yield
        finally:
            self.faults = []

    @contextlib.contextmanager
    def running(self) -> Iterator["Mirror"]:
        """Serve while the context lasts."""
        thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self.stop()
            thread.join()

    def stop(self) -> None:
        """Close the port: later requests are refused; a second call does nothing."""
        self.shutdown()
        self.server_close()


class Handler(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    server: Mirror

    def log_message(self, *args: object) -> None:
        """The log is kept by `_answer`."""

    def do_HEAD(self) -> None:
        self._route()

    def do_GET(self) -> None:
        self._route()

    def do_POST(self) -> None:
        self._route()

    def _route(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.place = urllib.parse.urlsplit(self.path).path
        self.fault = self._fault()
        if self.fault == "500":
            return self._answer(500, b"out of order")
        if self.fault == "drop":
            self.server.log.append((self.command, self.place, 0))
            self.close_connection = True
            return None
        if match := API.fullmatch(self.place):
            return self._api(match["kind"], match["name"], match["rest"] or "", body)
        if match := FILE.fullmatch(self.place):
            return self._resolve(**match.groupdict())
        if self.place.startswith("/blobs/"):
            return self._blob(self.place.removeprefix("/blobs/"))
        return self._answer(404, b"no such route")

    def _fault(self) -> str:
        for fault in self.server.faults:
            if fault.times and re.search(fault.where, f"{self.command} {self.place}"):
                fault.times -= 1
                return fault.kind
        return ""

    def _api(self, kind: str, name: str, rest: str, body: bytes) -> None:
        """Answer what is asked about a repository: itself, its tree, some of its paths, its branches."""
        repository = self.server.repositories.get((kind, name))
        what, _, more = rest.strip("/").partition("/")
        if repository is None:
            return self._refuse("RepoNotFound")
        revision, _, path = more.partition("/")
        commit = self._commit(repository, revision or "main")
        if commit is None:
            return self._refuse("RevisionNotFound")
        files = repository.commits[commit]
        if what in ("", "revision"):
            siblings = [{"rfilename": file} for file in files]
            return self._json({"id": name, "sha": commit, "gated": "auto" if repository.gated else False,
                               "private": False, "tags": [], "siblings": siblings})  # fmt: skip
        if what == "tree":
            return self._json(tree(files, urllib.parse.unquote(path), "recursive=true" in self.path.lower()))
        if what == "paths-info":
            return self._json(entries(files, urllib.parse.parse_qs(body.decode())["paths"]))
        return self._answer(404, b"no such route")

    def _resolve(self, kind: str | None, name: str, revision: str, path: str) -> None:
        """Answer for a file: itself, or where it lies when it is large."""
        repository = self.server.repositories.get((kind or "models", name))
        if repository is None:
            return self._refuse("RepoNotFound")
        if repository.gated:
            return self._refuse("GatedRepo")
        commit = self._commit(repository, revision)
        if commit is None:
            return self._refuse("RevisionNotFound")
        headers = {"X-Repo-Commit": commit}
        data = repository.commits[commit].get(urllib.parse.unquote(path))
        if data is None:
            return self._refuse("EntryNotFound", headers)
        if len(data) <= LARGE:
            return self._answer(200, data, headers | {"ETag": f'"{blob_id(data)}"'})
        digest = hashlib.sha256(data).hexdigest()
        headers |= {"X-Linked-Etag": f'"{digest}"', "X-Linked-Size": str(len(data))}
        return self._answer(302, b"", headers | {"Location": f"{self.server.blobs}/{digest}"})

    def _blob(self, digest: str) -> None:
        """Answer with a large file, or the rest of it."""
        commits = (commit for found in self.server.repositories.values() for commit in found.commits.values())
        blobs = {hashlib.sha256(data).hexdigest(): data for files in commits for data in files.values()}
        data = blobs[digest]
        headers = {"ETag": f'"{digest}"', "Accept-Ranges": "bytes"}
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range") or "")
        if asked is None:
            return self._answer(200, data, headers)
        start, end = int(asked[1]), min(int(asked[2] or len(data)), len(data) - 1)
        headers["Content-Range"] = f"bytes {start}-{end}/{len(data)}"
        return self._answer(206, data[start : end + 1], headers)

    def _commit(self, repository: Repository, revision: str) -> str | None:
        """Return the commit that a branch, a tag or a hash means."""
        revision = urllib.parse.unquote(revision)
        return revision if revision in repository.commits else repository.names.get(revision)

    def _refuse(self, code: str, headers: Mapping[str, str] | None = None) -> None:
        headers = {"X-Error-Code": code, "X-Error-Message": code, **(headers or {})}
        self._answer(STATUS[code], code.encode(), headers)

    def _json(self, value: object) -> None:
        self._answer(200, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def _answer(self, status: int, data: bytes, headers: Mapping[str, str] | None = None) -> None:
        """Send an answer, or half of it."""
        self.server.log.append((self.command, self.place, status))
        self.send_response(status)
        for name, value in {"Content-Length": str(len(data)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "HEAD":
            return
        if self.fault in ("cut", "reset"):
            data = data[: len(data) // 2]
            self.close_connection = True
        self.wfile.write(data)
        if self.fault == "reset":
            self.wfile.flush()
            reset(self.connection)


def reset(connection: socket.socket) -> None:
    """Close a connection so that the other side sees an error, not an end."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    os.close(connection.detach())


def blob_id(data: bytes) -> str:
    """Return git's name of a file."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def entries(files: Mapping[str, bytes], paths: list[str]) -> list[dict[str, object]]:
    """Return what the hub says of files and folders that exist."""
    found: list[dict[str, object]] = []
    for path in paths:
        if path in files:
            data = files[path]
            found.append({"type": "file", "path": path, "oid": blob_id(data), "size": len(data)})
        elif any(file.startswith(f"{path}/") for file in files):
            found.append({"type": "directory", "path": path, "oid": blob_id(path.encode()), "size": 0})
    return found


def tree(files: Mapping[str, bytes], folder: str, recursive: bool) -> list[dict[str, object]]:
    """Return what the hub says of a folder's content, of sub-folders too when it is recursive."""
    prefix = f"{folder}/" if folder else ""
    below = [file.removeprefix(prefix) for file in files if file.startswith(prefix)]
    depth = max((name.count("/") for name in below), default=0) if recursive else 0
    parts = {"/".join(name.split("/")[: n + 1]) for name in below for n in range(depth + 1)}
    return entries(files, sorted(prefix + part for part in parts))
