"""The job of a custody client with a Signing Agent, against a sandbox: what must work and what must be refused.

python3 scenario.py BASE_URL KEYS

BASE_URL is the Partner API's, such as http://127.0.0.1:8765/api/v1/p, and KEYS the folder with apikey and private.pem.
Control calls go to the same server. Each check prints a line that begins with "ok" or "FAILED"; the end prints the
wallets and what must be in them. The exit status is 1 if a check failed.
"""

import json
import pathlib
import queue
import sys
import time

import agentcrypto as crypto
import wire
from agent import Agent

# A core client that was not made here. The real agent's test trusts this one.
ELSEWHERE = "43CQtjpeSH1DeMSWQTPc3de2GWLsTAMcvGePYS6wKibn"
BTC = "BTC-TESTNET"
PATIENCE = 20  # seconds; nothing takes that long, unless the machine is busy


class Scenario:
    def __init__(self, base_url, keys):
        self.url = base_url.rstrip("/")
        keys = pathlib.Path(keys)
        self.rsa = wire.RSAKey((keys / "private.pem").read_text(), (keys / "apikey").read_text())
        self.failed = 0

    # Calls. Of the answers of success only the bodies are looked at, as the real agent's test does.

    def api(self, method, path, body=None):
        url, body = self.url + path, json.dumps(body).encode() if body is not None else b""
        headers = {**self.rsa.headers(url, body), "Content-Type": "application/json"}
        status, answer = wire.send(method, url, headers, body)
        try:
            return json.loads(answer)
        except ValueError:
            raise wire.Refused(method, url, status, answer) from None

    def control(self, path, body):
        """What came over a chain, or was made by others."""
        url = self.url.removesuffix("/api/v1/p") + "/sandbox/v1" + path
        return wire.call("POST", url, {"Content-Type": "application/json"}, json.dumps(body).encode())

    # Checks.

    def check(self, name, holds, seen=None):
        self.failed += not holds
        print(f"ok     {name}" if holds else f"FAILED {name}: {seen}")

    def refused(self, name, statuses, do):
        try:
            self.check(name, False, f"taken, with {do()}")
        except wire.Refused as err:
            self.check(name, err.status in statuses, err)

    def until(self, name, get, holds):
        """Asks again for a while: what follows an approval need not be there with it."""
        end = time.monotonic() + PATIENCE
        while not holds(seen := get()) and time.monotonic() < end:
            time.sleep(0.02)
        self.check(name, holds(seen), seen)
        return seen

    def handled(self, name, agent):
        try:
            action, err = agent.handled.get(timeout=PATIENCE)
            self.check(name, err is None, err)
            return action
        except queue.Empty:
            self.check(name, False, "the agent heard nothing in time")

    # What both parts do.

    def trust(self, company, address):
        return self.api("POST", f"/company/{company}/trustedparty", {"address": address})

    def fund(self, company, agent, name):
        group = {"threshold": 1, "members": [agent.id]}
        groups = {"custodygroup_withdraw": group, "custodygroup_tx": group}
        wallet = {"name": name + " wallet", "asset": BTC, **groups}
        fields = {"name": name, "description": name, **groups, "wallets": [wallet]}
        return self.api("POST", f"/company/{company}/fund", fields)["fund_id"]

    def end_to_end(self, agent):
        """The steps of the end-to-end test that came with the real agent, without its pauses."""
        try:
            self.control("/core-clients", {"id": ELSEWHERE, "name": "Elsewhere"})
        except wire.Refused as err:
            if err.status != 409:  # it is there since an earlier run
                raise
        agent.register("python", self.rsa)
        agent.start()
        self.check("1 the agent is registered", agent.id, agent.id)
        fields = {"name": "Acme", "city": "Springfield", "country": "USA", "domain": "acme.example", "ref": "1"}
        made = [self.api("POST", "/company", fields) for _ in range(2)]
        self.check("2 a company, and the same again", made[0]["company_id"] and made[1]["company_id"], made)
        self.check("2 they are two", made[0]["company_id"] != made[1]["company_id"], made)
        company = made[1]["company_id"]
        got = self.trust(company, agent.id)
        self.check("3 the agent is trusted", got.get("code") == 200, got)
        fund = self.fund(company, agent, "Treasury")
        self.check("4 a fund", fund, fund)
        path = f"/company/{company}/fund/{fund}"
        detail = self.api("GET", path)
        wallet = detail["wallets"][0]
        self.check("5 one wallet", len(detail["wallets"]) == 1 and type(wallet["balance"]) is int, detail)
        self.check("5 its policy has the agent", members(wallet) == [agent.id] and wallet["policy_tx"]["id"], wallet)
        got = self.trust(company, ELSEWHERE)
        self.check("6 one from elsewhere is trusted", got.get("code") == 200, got)
        both = {"policy_id": wallet["policy_tx"]["id"], "threshold": 1, "members": [agent.id, ELSEWHERE]}
        got = self.api("PUT", f"{path}/wallet/{wallet['wallet_id']}/policy", {**both, "type": "policy-tx"})
        self.check("7 a new policy is asked for", got.get("code") == 200, got)
        self.handled("7 the agent approves it", agent)
        self.until(
            "8 the policy has two members",
            lambda: self.api("GET", path)["wallets"][0],
            lambda w: sorted(members(w)) == sorted([agent.id, ELSEWHERE]),
        )
        return company, wallet

    def transfer(self, company, wallet, to, amount):
        fields = {"wallet_id": wallet, "counterparty_wallet_address": to, "expires": int(time.time()) + 3600}
        got = self.api("POST", f"/company/{company}/transfer", {**fields, "send": {"symbol": BTC, "amount": amount}})
        return got["tx_id"]

    def has(self, name, wallet, balance):
        self.until(name, lambda: self.api("GET", f"/wallet/{wallet}")["balance"], lambda b: b == balance)

    def run(self):
        auto, manual = Agent(self.url, pin=4321), Agent(self.url, pin=123456)
        try:
            company, wallet = self.end_to_end(auto)
            self.registering(manual)
            self.trust(company, manual.id)
            other = self.fund(company, manual, "Trading")
            other = self.api("GET", f"/company/{company}/fund/{other}")["wallets"][0]
            one, two = wallet["wallet_id"], other["wallet_id"]
            self.control("/deposits", {"address": wallet["address"], "amount": 1_000_000})
            self.has("the deposit is there", one, 1_000_000)
            self.transfer(company, one, two, 500_000)
            self.handled("a transfer: the agent approves it", auto)
            self.has("the other wallet has the money", two, 500_000)
            self.has("the first one has paid it, and the fee of a thousandth", one, 499_500)
            self.by_hand(company, manual, auto, two, one)
            self.has("what was approved by hand is there", one, 599_500)
            self.has("and what was rejected has stayed", two, 399_900)
            self.check("the agent handled nothing else", auto.handled.empty(), list(auto.handled.queue))
        finally:
            auto.stop()
        print("wallets", one, 599_500, two, 399_900)

    def registering(self, agent):
        """Registers, with what must be refused on the way."""
        right = agent.keys.bls_public
        key = right()
        larger = crypto.be(int.from_bytes(key[:48], "big") + crypto.P) + key[48:]
        swapped = key[48:96] + key[:48] + key[144:] + key[96:144]
        wrong = {"zeros": bytes(192), "too short": key[:-1], "c1 before c0": swapped, "a coordinate above p": larger}
        for name, value in wrong.items():
            agent.keys.bls_public = lambda value=value: value
            self.refused("init: a BLS key that is wrong: " + name, [400], lambda: agent.init("manual", self.rsa))
        agent.keys.bls_public = right
        self.refused("init: not signed", [401], lambda: agent.init("manual", Unsigned(self.rsa)))
        got = agent.init("manual", self.rsa)
        same = got["id"] == got["accountCode"]
        self.check("init: id is the account code", same and len(agent.id) in (43, 44), got["id"])
        text = f'{{"id":"{agent.id}","curve":"BLS381","created":'
        self.check("init: what clientID says", agent.client_id.decode().startswith(text), agent.client_id)
        self.check("init: timestamp is a number", type(got["timestamp"]) is int, got["timestamp"])
        self.refused("an action before finish", [403], lambda: agent.messages("anything"))
        junk = agent.keys.sign(b"another text")
        self.refused("finish: a signature of another text", range(400, 500), lambda: agent.finish(junk))
        agent.finish()
        self.check("finish: a right one after it", agent.feed_url.startswith("ws"), agent.feed_url)

    def by_hand(self, company, agent, stranger, wallet, to):
        """Two transfers that wait for an agent, what must not decide them, and their decisions."""
        tx = self.transfer(company, wallet, to, 100_000)
        feed = agent.listen()
        first = feed.receive()
        feed.close()
        feed = agent.listen()
        self.check("a pending action is sent again, on each connection", feed.receive() == first, first)
        feed.close()
        first = json.loads(first)
        action = first["id"]
        self.check("whose it is", first["coreClientID"] == agent.id and first["status"] == "pending", first)
        got = self.api("GET", f"/company/{company}/transfer/{action}")
        self.check("the transfer is found by its action's ID", got.get("txID") == tx, got)
        url = agent.action_url(action)
        for name, proof in {
            "with the wrong PIN": agent.proof(pin=agent.pin + 1),
            "of 320 s ago": agent.proof(offset=-320),
            "of 320 s ahead": agent.proof(offset=320),
            "with a byte more": {"x-api-zkp": agent.proof()["x-api-zkp"] + "00"},
            "whose V has a point of order 3 added": with_v(agent, crypto.add),
            "whose V is negated": with_v(agent, lambda v, _: crypto.neg(v)),
        }.items():
            self.refused("a proof " + name, [401], lambda: wire.call("GET", url, proof))
            self.refused("the same, at the feed", [401], lambda: wire.WebSocket(agent.feed_url, proof))
        self.refused("no proof", [401], lambda: wire.call("GET", url))
        self.refused("an RSA signature in its place", [401], lambda: wire.call("GET", url, self.rsa.headers(url)))
        for offset in (-280, 280):
            wire.call("GET", url, agent.proof(offset=offset))
        wire.call("GET", url, agent.proof(pin=agent.pin % 10000))
        self.refused("another agent reads", [403, 404], lambda: stranger.messages(action))
        self.refused("another agent rejects", [403, 404], lambda: stranger.reject(action))
        messages = agent.messages(action)
        right = [agent.keys.sign(m) for m in messages]
        for name, signatures in {
            "none": [],
            "one too many": right + right[:1],
            "of zeros": [bytes(49)] * len(right),
            "of another text": [agent.keys.sign(b"another text")] * len(right),
            "of the hexadecimal text": [agent.keys.sign(m.hex().encode()) for m in messages],
            "of another agent": [stranger.keys.sign(m) for m in messages],
            "with the other sign": [bytes([s[0] ^ 1]) + s[1:] for s in right],
            "with a point of order 3 added": [crypto.encode49(crypto.add(point(agent, m), ORDER3)) for m in messages],
            "with x + p": [s[:1] + crypto.be(int.from_bytes(s[1:], "big") + crypto.P) for s in right],
            "a byte too long": [s + b"\0" for s in right],
        }.items():
            self.refused("signatures: " + name, range(400, 500), lambda: agent.send_signatures(action, signatures))
        self.check("after all of it the action still waits", agent.messages(action) == messages)
        self.has("and nothing has moved", wallet, 500_000)
        agent.send_signatures(action, right)
        agent.approve(action)
        print("ok     approved, and approved again")
        self.refused("rejecting what is approved", [409], lambda: agent.reject(action))
        self.transfer(company, wallet, to, 100_000)
        feed = agent.listen()
        action = json.loads(feed.receive())["id"]
        feed.close()
        self.check("another action has other messages", agent.messages(action) != messages)
        agent.reject(action)
        agent.reject(action)
        print("ok     rejected, and rejected again")
        self.refused("approving what is rejected", [409], lambda: agent.send_signatures(action, right))


ORDER3 = (0, 2, 1)  # a point of the curve outside the subgroup


class Unsigned:
    def __init__(self, rsa):
        self.api_key = rsa.api_key

    def headers(self, url, body):
        return {"x-api-key": self.api_key}


def members(wallet):
    return [m["entity"]["id"] for m in wallet["policy_tx"]["members"]]


def point(agent, message):
    return crypto.mul(agent.keys.bls, crypto.hash_message(message))


def with_v(agent, change):
    """A proof whose V was changed after it was made."""
    et = int(time.time())
    u, v = crypto.prove(agent.client_id, agent.token, agent.pin, et)
    v = crypto.encode97(change(crypto.decode97(v), ORDER3))
    return {"x-api-zkp": crypto.proof_header(agent.client_id, et, u, v)}


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    scenario = Scenario(*sys.argv[1:])
    scenario.run()
    sys.exit(scenario.failed > 0)
