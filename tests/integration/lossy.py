"""A door to the vault that loses answers: the first answer to every POST is dropped after the vault
gave it. Prints its port. For tests/integration/client.

    lossy.py ADDRESS CA SERVER-CERTIFICATE SERVER-KEY SERVICE-CERTIFICATE SERVICE-KEY
"""
import http.client
import http.server
import ssl
import sys
import urllib.parse

address, ca, server_cert, server_key, cert, key = sys.argv[1:]
trust = ssl.create_default_context(cafile=ca)
trust.load_cert_chain(cert, key)
lost = set()


class Door(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def forward(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        vault = http.client.HTTPSConnection(urllib.parse.urlsplit(address).netloc, context=trust, timeout=90)
        kept = {name: self.headers[name] for name in ("Content-Type", "Idempotency-Key") if name in self.headers}
        vault.request(self.command, self.path, body or None, kept)
        answer = vault.getresponse()
        text = answer.read()
        if self.command == "POST" and self.path not in lost:
            lost.add(self.path)
            self.close_connection = True
            self.connection.close()
            return
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.headers.get("Content-Type", "application/json"))
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = do_DELETE = do_PUT = forward

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Door)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(server_cert, server_key)
server.socket = context.wrap_socket(server.socket, server_side=True)
print(server.server_port, flush=True)
server.serve_forever()
