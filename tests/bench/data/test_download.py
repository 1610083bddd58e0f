"""Downloads, against a server on this machine that can misbehave."""

import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from bench.data.fetch import DownloadError, download
from bench.progress import Silent

CONTENT = bytes(range(256)) * 4096


@dataclass
class Behaviour:
    """What the server does next."""

    content: bytes = CONTENT
    ranges: bool = True
    break_off_after: int | None = None
    asked: list[str | None] = field(default_factory=list)
    """The Range header of each request."""


@pytest.fixture
def behaviour():
    return Behaviour()


@pytest.fixture
def server(behaviour):
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            wanted = self.headers.get("Range")
            behaviour.asked.append(wanted)
            if self.path != "/set.zip":
                return self.send_error(404)
            start = int(wanted[6:-1]) if wanted and behaviour.ranges else 0
            if start >= len(behaviour.content):
                return self.send_error(416)
            body = behaviour.content[start:]
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: behaviour.break_off_after])
            return None

        def log_message(self, *_):
            pass

    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{running.server_port}"
    running.shutdown()
    thread.join()
    running.server_close()


def test_a_file_arrives_whole_and_leaves_nothing_beside_it(server, tmp_path):
    download(f"{server}/set.zip", tmp_path / "new" / "set.zip", Silent())
    assert (tmp_path / "new" / "set.zip").read_bytes() == CONTENT
    assert len(list((tmp_path / "new").iterdir())) == 1


def test_a_broken_transfer_is_told_and_continued(server, behaviour, tmp_path):
    target = tmp_path / "set.zip"
    behaviour.break_off_after = 300_000
    with pytest.raises(DownloadError, match=r"broke off after 300000 of 1048576 bytes.*continues from there"):
        download(f"{server}/set.zip", target, Silent())
    assert not target.exists()
    behaviour.break_off_after = None
    download(f"{server}/set.zip", target, Silent())
    assert target.read_bytes() == CONTENT
    assert behaviour.asked == [None, "bytes=300000-"]


def test_a_server_without_ranges_starts_again(server, behaviour, tmp_path):
    (tmp_path / "set.zip.part").write_bytes(b"x" * 1000)
    behaviour.ranges = False
    download(f"{server}/set.zip", tmp_path / "set.zip", Silent())
    assert (tmp_path / "set.zip").read_bytes() == CONTENT


def test_a_part_longer_than_the_file_is_thrown_away(server, tmp_path):
    (tmp_path / "set.zip.part").write_bytes(b"x" * (len(CONTENT) + 5))
    download(f"{server}/set.zip", tmp_path / "set.zip", Silent())
    assert (tmp_path / "set.zip").read_bytes() == CONTENT


def test_a_missing_file_is_told(server, tmp_path):
    with pytest.raises(DownloadError, match=r"/other\.zip answers 404"):
        download(f"{server}/other.zip", tmp_path / "set.zip", Silent())
    assert not list(tmp_path.iterdir())


def test_an_address_where_nobody_listens_is_told(tmp_path):
    with pytest.raises(DownloadError, match=r"http://127\.0\.0\.1:1/set\.zip cannot be reached"):
        download("http://127.0.0.1:1/set.zip", tmp_path / "set.zip", Silent())


def test_a_disk_too_small_is_told_before_anything_is_fetched(server, tmp_path, monkeypatch):
    from collections import namedtuple

    usage = namedtuple("usage", "free")
    monkeypatch.setattr("bench.data.fetch.shutil.disk_usage", lambda _: usage(free=1000))
    with pytest.raises(DownloadError, match=r"0 MiB free, and 1 MiB are needed. Free some disk space"):
        download(f"{server}/set.zip", tmp_path / "set.zip", Silent())
    assert not (tmp_path / "set.zip").exists()
