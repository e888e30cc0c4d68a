"""A Signing Agent, and a check of its cryptography: python3 agent.py vectors FILE"""

import json
import queue
import secrets
import sys
import threading
import time

import agentcrypto as crypto
import wire


class Agent:
    """A member of custody groups. register makes it one; start lets it approve whatever it is asked for."""

    def __init__(self, base_url, pin):
        self.url = base_url.rstrip("/")
        self.pin = pin
        self.keys = crypto.Keys(secrets.token_bytes(48))
        self.handled = queue.Queue()  # (action's ID, None or the error), as they are dealt with
        self.feed = None
        self.stopped = False

    def proof(self, pin=None, offset=0):
        """The header that proves who calls. pin and offset (seconds) are for those that must be refused."""
        et = int(time.time()) + offset
        u, v = crypto.prove(self.client_id, self.token, self.pin if pin is None else pin, et)
        return {"x-api-zkp": crypto.proof_header(self.client_id, et, u, v)}

    def init(self, name, rsa):
        fields = {
            "name": name,
            "blsPublicKey": self.keys.bls_public().hex(),
            "ecPublicKey": self.keys.ec_public().hex(),
        }
        body, url = json.dumps(fields, separators=(",", ":")).encode(), self.url + "/coreclient/init"
        got = wire.call("POST", url, rsa.headers(url, body), body)
        self.id, self.id_doc = got["accountCode"], bytes.fromhex(got["idDoc"])
        self.client_id = bytes.fromhex(got["clientID"])
        # The secret itself is not kept: the token is nothing without the PIN.
        self.token = crypto.make_token(self.client_id, bytes.fromhex(got["clientSecret"]), self.pin)
        return got

    def finish(self, signature=None):
        signature = signature or self.keys.sign(self.id_doc)
        body = json.dumps({"idDocSignatureHex": signature.hex()}).encode()
        self.feed_url = wire.call("POST", self.url + "/coreclient/finish", self.proof(), body)["feed"]

    def register(self, name, rsa):
        self.init(name, rsa)
        self.finish()

    def action_url(self, action):
        return f"{self.url}/coreclient/action/{action}"

    def messages(self, action):
        got = wire.call("GET", self.action_url(action), self.proof())["messages"]
        if not got or not all(got):
            raise ValueError("an action without a message: there is nothing to sign")
        return [bytes.fromhex(m) for m in got]

    def send_signatures(self, action, signatures):
        body = json.dumps({"signatures": [s.hex() for s in signatures]}).encode()
        return wire.call("PUT", self.action_url(action), self.proof(), body)

    def approve(self, action):
        return self.send_signatures(action, [self.keys.sign(m) for m in self.messages(action)])

    def reject(self, action):
        return wire.call("DELETE", self.action_url(action), self.proof())

    def listen(self):
        return wire.WebSocket(self.feed_url, self.proof())

    def start(self):
        """Connects, and approves in a thread until stop. Errors of the feed are the last thing handled."""
        self.feed = self.listen()
        self.thread = threading.Thread(target=self._approve_all)
        self.thread.start()

    def _approve_all(self):
        self.feed.sock.settimeout(None)  # it may be long until there is something to approve
        while True:
            action = None
            try:
                message = json.loads(self.feed.receive())
                action = message["id"]
                if message.get("expireTime", 0) > time.time():
                    self.approve(action)
                    self.handled.put((action, None))
            except Exception as err:
                if self.stopped:
                    return
                self.handled.put((action, err))
                if action is None:
                    return

    def stop(self):
        self.stopped = True
        if self.feed:
            self.feed.close()
            self.thread.join()


def check_vectors(path):
    """Computes what an agent computes and compares. What needs a pairing is the service's matter."""
    with open(path) as f:
        vectors = json.load(f)
    ran = {}

    def check(group, case, **computed):
        ran[group] = ran.get(group, 0) + 1
        for key, value in computed.items():
            want, got = case[key], value.hex() if isinstance(value, bytes) else value
            if got != want:
                raise SystemExit(f"{group}, {case['name']}: {key} is {got}, not {want}")

    def data(case, key):
        return bytes.fromhex(case[key])

    for c in vectors["a_keys"]:
        keys, rng = crypto.Keys(data(c, "seed")), crypto.csprng(data(c, "seed"))
        check(
            "a_keys",
            c,
            csprng_first_100_bytes=bytes(next(rng) for _ in range(100)),
            bls_secret_key=crypto.be(keys.bls),
            bls_public_key=keys.bls_public(),
            ec_private_key=crypto.be(keys.ec, 32),
            ec_public_key=keys.ec_public(),
        )
    for c in vectors["b_hashes_and_signatures"]:
        keys, message = crypto.Keys(data(vectors["a_keys"][c["key"] - 1], "seed")), data(c, "message")
        point = crypto.encode97(crypto.hash_message(message))
        check("b_hashes_and_signatures", c, point=point, signature=keys.sign(message))
    for c in vectors["c_client_secrets_refused"]:
        try:
            crypto.make_token(data(c, "id"), data(c, "client_secret"), 0)
            raise SystemExit(f"c_client_secrets_refused, {c['name']}: not refused")
        except ValueError:
            check("c_client_secrets_refused", c)
    for c in vectors["c_secrets"]:
        point = crypto.hash_id(data(c, "id"))
        secret = crypto.mul(int(c["master_secret"], 16), point)
        check("c_secrets", c, id_point=crypto.encode97(point), client_secret=crypto.encode97(secret))
    for c in vectors["c_pins"]:
        token = crypto.make_token(data(c, "id"), data(c, "client_secret"), c["pin"])
        both = crypto.encode97(crypto.token_and_pin(data(c, "id"), token, c["pin"]))
        check("c_pins", c, token=token, token_and_pin_give=both)
    for c in vectors["d_one_pass"]:
        x = crypto.scalar(crypto.csprng(data(c, "rng_seed"))) if "rng_seed" in c else int(c["x"], 16)
        u, v = crypto.prove(data(c, "id"), data(c, "token"), c["pin"], c["et"], x)
        header = crypto.proof_header(data(c, "id"), c["et"], u, v)
        y = crypto.be(crypto.challenge(c["et"], u))
        check("d_one_pass", c, x=crypto.be(x), y=y, u=u, v=v, header=header)
    for c in vectors["e_client_ids"]:
        check("e_client_ids", {"name": c["id"], **c}, point=crypto.encode97(crypto.hash_id(data(c, "clientID"))))
    print("vectors:", ", ".join(f"{group} {n}" for group, n in ran.items()))


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] != "vectors":
        raise SystemExit(__doc__)
    check_vectors(sys.argv[2])
