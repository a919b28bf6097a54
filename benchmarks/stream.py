"""How fast does one large body go up and come down?

Blocking sockets and 1 MiB pieces: the cheapest client there is, since it shares the processor.
"""

from __future__ import annotations

import hashlib
import re
import socket
import time

from benchmarks.content import Large
from benchmarks.load import Request, Timing, WrongAnswerError
from benchmarks.process import Address

PIECE_BYTES = 1024 * 1024
TIMEOUT_SECONDS = 120.0
GB = 1e9


def upload(address: Address, head: Request, content: Large) -> Timing:
    """One PUT of the content; over when the answer is here.

    Raises:
        WrongAnswerError: the answer is not 2xx.
    """
    with socket.create_connection(address, TIMEOUT_SECONDS) as connection:
        begin = time.perf_counter()
        connection.sendall(head.head)
        for piece in content.pieces():
            connection.sendall(piece)
        answer = _head(connection)
        seconds = time.perf_counter() - begin
    if answer[9:10] != b"2":
        raise WrongAnswerError(f"The upload was answered with {answer[:1500]!r}")
    return Timing(content.size_bytes / GB, seconds, [seconds])


def download(address: Address, head: Request, content: Large, *, check: bool = False) -> Timing:
    """One GET of the content; every byte is received, and with `check` hashed and compared.

    Raises:
        WrongAnswerError: the answer is not 200, too short, or (with `check`) other bytes.
    """
    buffer = memoryview(bytearray(PIECE_BYTES))
    sha256 = hashlib.sha256()
    with socket.create_connection(address, TIMEOUT_SECONDS) as connection:
        begin = time.perf_counter()
        connection.sendall(head.head)
        answer = _head(connection)
        text, _, first = answer.partition(b"\r\n\r\n")
        length = re.search(rb"\r\ncontent-length: *(\d+)", text, re.IGNORECASE)
        if answer[9:12] != b"200" or length is None or int(length[1]) != content.size_bytes:
            raise WrongAnswerError(f"The download was answered with {answer[:1500]!r}")
        if check:
            sha256.update(first)
        missing = content.size_bytes - len(first)
        while missing:
            count = connection.recv_into(buffer)
            if not count:
                raise WrongAnswerError(f"The download ended {missing} bytes early")
            if check:
                sha256.update(buffer[:count])
            missing -= count
        seconds = time.perf_counter() - begin
    if check and sha256.hexdigest() != content.sha256:
        raise WrongAnswerError("The download brought other bytes than were uploaded")
    return Timing(content.size_bytes / GB, seconds, [seconds])


def _head(connection: socket.socket) -> bytes:
    answer = b""
    while b"\r\n\r\n" not in answer:
        piece = connection.recv(65536)
        if not piece:
            raise WrongAnswerError(f"The connection was closed in the middle of {answer[:300]!r}")
        answer += piece
    return answer
