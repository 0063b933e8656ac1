#!/usr/bin/env python3
"""Ask one citizen for fields, wait for the answer, read. Standard library only.

    first_read.py ADDRESS CA CERTIFICATE KEY PURPOSE ASSURANCE FIELD[=FORM]...

ASSURANCE is how surely the service knows who is in front of it: low, substantial or high.
"""
import http.client
import json
import secrets
import ssl
import sys
import urllib.parse

WAIT_S = 60
WAITS_MAX = 30


class Vault:
    """One kept connection to the vault, with the service's own certificate."""

    def __init__(self, address, ca, certificate, key):
        trust = ssl.create_default_context(cafile=ca)
        trust.minimum_version = ssl.TLSVersion.TLSv1_3
        trust.load_cert_chain(certificate, key)
        host = urllib.parse.urlsplit(address).netloc
        self.connection = http.client.HTTPSConnection(host, context=trust, timeout=WAIT_S + 10)

    def call(self, method, path, body=None):
        """The answer's JSON. A POST has a key of its own: sent again, it is answered the same."""
        headers = {"Content-Type": "application/json"} if body is not None else {}
        if method == "POST":
            headers["Idempotency-Key"] = secrets.token_hex(16)
        for last in (False, True):
            try:
                self.connection.request(method, path, body and json.dumps(body), headers)
                answer = self.connection.getresponse()
                text = answer.read()
                break
            except (http.client.RemoteDisconnected, ConnectionError):
                self.connection.close()
                if last:
                    raise
        if answer.status >= 400:
            raise SystemExit(f"first_read: {answer.status}: {json.loads(text)['detail']}")
        return json.loads(text)


def main(address, ca, certificate, key, purpose, assurance, *words):
    fields = {name: form or None for name, _, form in (word.partition("=") for word in words)}
    vault = Vault(address, ca, certificate, key)
    request = vault.call("POST", "/v1/access-requests", {"purpose": purpose, "fields": fields})
    print("Show the citizen:", request["code"], "or", request["link"], flush=True)
    for _ in range(WAITS_MAX):
        answer = vault.call("GET", f"/v1/access-requests/{request['id']}?wait={WAIT_S}")
        if answer["state"] != "pending":
            break
    if answer["state"] != "granted":
        raise SystemExit("Not granted.")
    release = vault.call("POST", "/v1/releases",
                         {"subject": answer["subject"], "purpose": purpose, "fields": fields,
                          "context": {"assurance_at_least": assurance}})
    for name, value in release["released"].items():
        print(f"{name} ({value['form']}): {json.dumps(value['value'], ensure_ascii=False, separators=(',', ':'))}")
    for name in release["withheld"]:
        print(f"{name}: withheld")


if __name__ == "__main__":
    if len(sys.argv) < 8:
        sys.exit(__doc__)
    main(*sys.argv[1:])
