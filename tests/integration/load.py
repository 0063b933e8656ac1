"""Ask for releases over several kept-alive connections until told to stop or the server goes away.

    load.py PORT CA CERT KEY SUBJECT OUT THREADS SECONDS

Each acknowledged answer is one line in OUT, "INDEX LEAF", written at once and unbuffered, so that a
line in OUT means that the client has seen the answer.
"""
import http.client
import json
import os
import ssl
import sys
import threading
import time


def ask(port, context, body, out, lock, end):
    headers = {"Content-Type": "application/json"}
    try:
        connection = http.client.HTTPSConnection("127.0.0.1", port, context=context, timeout=10)
        while time.monotonic() < end:
            connection.request("POST", "/v1/releases", body, headers)
            answer = connection.getresponse()
            text = answer.read()
            if answer.status != 200:
                continue
            log = json.loads(text)["log"]
            with lock:
                os.write(out, f"{log['index']} {log['leaf']}\n".encode())
    except (OSError, http.client.HTTPException):
        pass  # the server was killed: what was acknowledged is in OUT


def main():
    port, ca, cert, key, subject, path, threads, seconds = sys.argv[1:]
    context = ssl.create_default_context(cafile=ca)
    context.load_cert_chain(cert, key)
    body = json.dumps({
        "subject": subject, "purpose": "employment.support",
        "fields": {"identity.birth_date": None, "address.postal": None},
        "context": {"assurance_at_least": "substantial"}})
    out = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    lock = threading.Lock()
    end = time.monotonic() + float(seconds)
    workers = [threading.Thread(target=ask, args=(int(port), context, body, out, lock, end))
               for _ in range(int(threads))]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()


main()
