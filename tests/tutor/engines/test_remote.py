"""The remote engine against a real HTTP server on this machine."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tutor.engines.base import Message
from tutor.engines.remote import RemoteEngine
from tutor.errors import EngineError


class Server(ThreadingHTTPServer):
    """Answers every request with `status` and the given stream events; keeps the last request's body."""

    status = 200
    events: tuple[dict, ...] = ()
    body: dict = {}  # noqa: RUF012


class Reply(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        server = self.server
        assert isinstance(server, Server)
        server.body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(server.status)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        for event in server.events:
            self.wfile.write(f"data: {json.dumps(event)}\n\n".encode())

    def log_message(self, *arguments: object) -> None:
        pass


def chunk(text: str | None, finish: str | None = None) -> dict:
    """One event of a chat completion stream."""
    choice = {"index": 0, "delta": {"role": "assistant", "content": text}, "finish_reason": finish}
    return {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    server = Server(("127.0.0.1", 0), Reply)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def write(server: Server) -> str:
    engine = RemoteEngine(f"http://127.0.0.1:{server.server_port}/v1", "m", "key")
    return "".join(engine.write([Message("user", "Why?")], max_new_tokens=7))


def test_pieces_arrive_in_order(server: Server) -> None:
    """The text is the stream's, an empty piece does no harm, and the request says what was asked."""
    server.events = (chunk("Be"), chunk(None), chunk("cause."), chunk("", "stop"))
    assert write(server) == "Because."
    assert server.body["messages"] == [{"role": "user", "content": "Why?"}]
    assert (server.body["model"], server.body["max_tokens"]) == ("m", 7)


def test_a_stream_that_breaks_off_is_an_error(server: Server) -> None:
    """Half an answer never passes for a whole one: without a finish reason the stream was cut."""
    server.events = (chunk("Beca"),)
    with pytest.raises(EngineError, match="broke off"):
        write(server)


@pytest.mark.parametrize("status", [401, 404, 500, 503])
def test_a_refusing_server_is_an_error_with_a_next_step(server: Server, status: int) -> None:
    """The learner hears to ask again, the operator which settings to check."""
    server.status = status
    with pytest.raises(EngineError, match="TUTOR_ENDPOINT"):
        write(server)


def test_no_server_is_an_error_with_a_next_step() -> None:
    """Nothing listens there: the same words, no stack trace."""
    with pytest.raises(EngineError, match="TUTOR_ENDPOINT"):
        list(RemoteEngine("http://127.0.0.1:9/v1", "m").write([Message("user", "Why?")], max_new_tokens=7))
