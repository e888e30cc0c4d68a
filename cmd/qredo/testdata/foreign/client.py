"""A client as it was written for the service: the URL is compiled in, and nothing here knows of a sandbox."""
import base64
import json
import subprocess
import sys
import time
import urllib.request

BASE = "https://api.qredo.network/api/v1/p"


def call(method, path, body=None):
    url = BASE + path
    data = b"" if body is None else json.dumps(body).encode()
    stamp = str(int(time.time()))
    signature = subprocess.run(
        ["openssl", "dgst", "-sha256", "-sign", sys.argv[2]],
        input=stamp.encode() + url.encode() + data, capture_output=True, check=True,
    ).stdout
    request = urllib.request.Request(url, data=data or None, method=method, headers={
        "X-API-KEY": open(sys.argv[1]).read().strip(),
        "x-timestamp": stamp,
        "x-sign": base64.urlsafe_b64encode(signature).rstrip(b"=").decode(),
        "Content-Type": "application/json",
    })
    with urllib.request.urlopen(request) as response:
        return json.load(response)


company = call("POST", "/company", {"name": "Acme", "city": "Paris", "country": "FR", "domain": "acme.example", "ref": "py"})
fund = call("POST", "/company/" + company["company_id"] + "/fund", {
    "name": "Client assets", "wallets": [{"name": "Treasury", "asset": "BTC-TESTNET"}],
})
deposits = call("GET", "/company/" + company["company_id"] + "/fund/" + fund["fund_id"] + "/deposit")
print("python:", call("GET", "/company/" + company["company_id"])["name"], deposits["list"][0]["asset"])
