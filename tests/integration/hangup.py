"""Ask for releases and hang up at every possible moment: in the middle of the request, with all of it
sent, somewhere in the answer, politely or by a reset.

    hangup.py PORT CA CERT KEY SUBJECT CLIENTS SEED

Prints a line of JSON: how many requests were sent whole, how many clients saw a byte of an answer, and
"INDEX LEAF" of every answer that was read to its end.
"""
import json
import random
import socket
import ssl
import struct
import sys
import threading

BODY = {"purpose": "employment.support",
        "fields": {"identity.birth_date": None, "address.postal": None},
        "context": {"assurance_at_least": "substantial"}}


def client(port, context, request, seed, result, lock):
    chance = random.Random(seed)
    raw = socket.create_connection(("127.0.0.1", port), timeout=20)
    if chance.random() < 0.5:  # a reset instead of a farewell
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sent, seen, text = False, 0, b""
    try:
        connection = context.wrap_socket(raw)
        kind = chance.choice(("part", "all", "some", "whole"))
        if kind == "part":
            connection.sendall(request[: chance.randrange(1, len(request))])
        else:
            with lock:
                result["sent"] += 1  # counted before: it may be received though sending fails
            sent = True
            connection.sendall(request)
        if kind == "all" and chance.random() < 0.5:
            threading.Event().wait(chance.random() / 50)
        while kind in ("some", "whole") and (kind == "whole" or seen < chance.randrange(1, 400)):
            piece = connection.recv(65536 if kind == "whole" else chance.randrange(1, 60))
            seen, text = seen + len(piece), text + piece
            if not piece:
                break
        raw = connection
    except OSError:
        pass
    raw.close()
    with lock:
        result["seen"] += bool(sent and seen)
        head, _, body = text.partition(b"\r\n\r\n")
        if head.startswith(b"HTTP/1.1 200") and body.endswith(b"}") and kind == "whole":
            log = json.loads(body)["log"]
            result["whole"].append(f"{log['index']} {log['leaf']}")


def main():
    port, ca, cert, key, subject, clients, seed = sys.argv[1:]
    context = ssl.create_default_context(cafile=ca)
    context.check_hostname = False
    context.load_cert_chain(cert, key)
    body = json.dumps({**BODY, "subject": subject}).encode()
    request = (b"POST /v1/releases HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
               b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)) + body
    result, lock = {"sent": 0, "seen": 0, "whole": []}, threading.Lock()
    waiting = list(range(int(clients)))

    def work():
        while True:
            with lock:
                if not waiting:
                    return
                number = waiting.pop()
            client(int(port), context, request, int(seed) * 100000 + number, result, lock)

    workers = [threading.Thread(target=work) for _ in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    print(json.dumps(result))


main()
