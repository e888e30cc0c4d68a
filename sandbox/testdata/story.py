"""A story told by HTTP alone: what the sandbox shows of it is held against sums of Python's own.

Usage: story.py URL API_KEY
"""
import json
import sys
import urllib.error
import urllib.parse
import urllib.request
from decimal import Decimal

base, key = sys.argv[1:3]
BTC, ETH = "BTC-TESTNET", "ETH-TESTNET"
DECIMALS = {BTC: 8, ETH: 9}
PAYOUT = "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx"


def ask(method, path, body=None, **query):
    url = base + path + ("?" + urllib.parse.urlencode(query) if query else "")
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"X-API-KEY": key}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as refused:
        return {"status": refused.code, **json.load(refused)}


def api(method, path, body=None, **query):
    return ask(method, "/api/v1/p" + path, body, **query)


def control(method, path, body=None, **query):
    return ask(method, "/sandbox/v1" + path, body, **query)


def name(text):
    return urllib.parse.quote(text, safe="")


def base_units(money):
    """The amount; the whole units beside it must say the same."""
    units = int(money["base"])
    assert Decimal(money["whole"]) == Decimal(units).scaleb(-DECIMALS[money["asset"]]), money
    return units


def equal(got, want, what):
    assert got == want, f"{what}: {got!r}, not {want!r}"


def pages(path, list_name, limit, **query):
    after = None
    while True:
        part = control("GET", path, limit=limit, **query, **({"after": after} if after else {}))
        assert len(part[list_name]) <= limit
        yield from part[list_name]
        after = part.get("next")
        if not after:
            return


# A company of two people and a program, with money in two assets.
company = api("POST", "/company", {"name": "Zürich <b>Bank</b>", "domain": "bank.example", "ref": "z"})["company_id"]
people = {}
for who in ["alice@example.com", "bob@example.com"]:
    people[who] = control("POST", "/users", {"email": who})["id"]
    api("POST", f"/company/{company}/trustedparty", {"address": who})
    control("POST", f"/users/{name(who)}/accept", {})
robot = api("POST", "/coreclient", {"name": "Robot"})["id"]
api("POST", f"/company/{company}/trustedparty", {"address": robot})
group = {"threshold": 2, "members": [*people.values(), robot]}
fund = api("POST", f"/company/{company}/fund", {"name": "Fund", "custodygroup_withdraw": group, "custodygroup_tx": group})["fund_id"]
wallets = api("POST", f"/company/{company}/fund/{fund}/wallet", {"wallets": [
    {"name": "Hot", "asset": BTC}, {"name": "Cold", "asset": BTC}, {"name": "Ether", "asset": ETH}]})["wallets"]
hot, cold, ether = wallets
api("POST", f"/company/{company}/fund/{fund}/whitelist", {"asset": BTC, "address": PAYOUT, "name": "Payout"})
control("POST", "/deposits", {"address": hot, "amount": 100_000_000})
control("POST", "/deposits", {"address": ether, "amount": 9_000_000_000_000_000_000})


def now():
    return control("GET", "/state")["now"]


def pay(kind, amount, **more):
    body = {"wallet_id": hot, "send": {"symbol": BTC, "amount": amount}, "expires": now() + 3600, **more}
    return api("POST", f"/company/{company}/{kind}", body)["tx_id"]


# A withdrawal that a person and the program approve is what both were told.
tx = pay("withdraw", 25_000_000, address=PAYOUT, reference="payout 2041", partner_txID="order-1")
for who in ["alice@example.com", robot]:
    before = control("GET", f"/wallets/{hot}")
    [card] = control("GET", f"/users/{name(who)}/approvals", state="waiting")["approvals"]
    equal((card["title"], card["payee"]["name"], card["payee"]["address"]), ("Withdrawal", "Payout", PAYOUT), "card")
    leaves, arrives, fee = (base_units(card[part]) for part in ("leaves", "arrives", "fee"))
    equal((arrives, leaves), (25_000_000, arrives + fee), "the fee comes on top")
    equal(base_units(card["balance_before"]), base_units(before["balance"]), "balance before")
    equal(base_units(card["available_after"]), base_units(before["available"]), "available is without it already")
    equal(card["approved"], 0 if who != robot else 1, "approved")
    control("POST", f"/users/{name(who)}/approvals/{card['action_id']}/approve")
after = control("GET", f"/wallets/{hot}")
for part in ("balance", "available"):
    equal(after[part], card[part + "_after"], part)
entry = [e for e in api("GET", f"/company/{company}/fund/{fund}/ledger")["List"] if e["TxID"] == tx][0]
equal((entry["amount"], entry["fees"], entry["netAmount"]), (leaves, fee, arrives), "the ledger's entry")
[late] = control("GET", "/users/bob%40example.com/approvals", state="decided")["approvals"]
equal((late["can_decide"], late["choice"], late["why_not"]), (False, "none", "it was approved without you"), "who was not needed")
equal(control("POST", f"/users/bob%40example.com/approvals/{tx}/approve")["status"], 409, "too late")

# Some are rejected, some expire, and some move on.
for number in range(12):
    tx = pay("transfer", 1_000 + number, counterparty_wallet_address=cold, reference=f"move {number}")
    if number % 3 < 2:
        for who in ["alice@example.com", robot]:
            control("POST", f"/users/{name(who)}/approvals/{tx}/" + ("approve" if number % 3 else "reject"))
waiting = list(pages("/transactions", "transactions", 2, state="waiting"))
equal(len(waiting), 4, "what waits")
held = sum(base_units(t["leaves"]) for t in waiting)
equal(base_units(control("GET", f"/wallets/{hot}")["held"]), held, "held")
first = control("GET", "/expiries", limit=1)
equal((first["total"], first["expiries"][0]["tx_id"] in [t["id"] for t in waiting]), (4, True), "expiries")
equal(control("POST", "/clock/advance", {"to_next_expiry": True})["code"], 200, "to the next expiry")
equal(control("GET", f"/transactions/{first['expiries'][0]['tx_id']}")["state"], "expired", "then it expires")
control("POST", "/clock/advance", {"seconds": 7200})
equal([t["state"] for t in pages("/transactions", "transactions", 5, search="move")],
      ["expired", "approved", "rejected"] * 4, "by a text")

# A swap: a quote that wants more than 64 bits can hold together with another.
for _ in range(3):
    api("POST", f"/company/{company}/atomicswap/make", {
        "send_wallet_id": hot, "receive_wallet_id": ether, "send": {"symbol": BTC, "amount": 10},
        "receive": {"symbol": ETH, "amount": 2**63 - 1}, "expires": now() + 60})
equal(base_units(control("GET", f"/wallets/{ether}")["incoming"]), 3 * (2**63 - 1), "incoming")

# Each balance is what moved, and all of it is somewhere.
balances = {}
for wallet in wallets:
    shown = control("GET", f"/wallets/{wallet}")
    balance = 0
    movements = list(pages(f"/wallets/{wallet}/movements", "movements", 3))
    for movement in reversed(movements):
        balance += base_units(movement["amount"])
        equal(base_units(movement["balance"]), balance, "running balance")
    equal(balance, base_units(shown["balance"]), "balance")
    equal(balance, base_units(shown["held"]) + base_units(shown["available"]), "held and available")
    equal([int(point["balance"]) for point in shown["chart"]], [base_units(m["balance"]) for m in reversed(movements)], "chart")
    equal(balance, api("GET", f"/wallet/{wallet}")["balance"], "as the API says")
    balances[shown["asset"]] = balances.get(shown["asset"], 0) + balance
for total in control("GET", "/totals")["totals"]:
    equal(base_units(total["balances"]), balances[total["asset"]], "balances")
    assert total["holds"]
    equal(base_units(total["deposited"]), sum(base_units(total[part]) for part in ("balances", "withdrawn", "fees")), "conserved")

# Each transaction is what its API says, and its life ends as it did.
for listed in pages("/transactions", "transactions", 4):
    shown = control("GET", f"/transactions/{listed['id']}")
    raw = json.loads(shown["api"])
    if listed["type"] in ("transfer", "withdrawal"):
        kind = {"transfer": "transfer", "withdrawal": "withdraw"}[listed["type"]]
        equal(raw, api("GET", f"/company/{company}/{kind}/{listed['id']}"), "the API's own answer")
        equal(base_units(shown["leaves"]), raw["statusDetails"]["amount"], "what leaves")
    last = shown["steps"][-1]["kind"]
    equal(last, {"approved": "settled"}.get(shown["state"], shown["state"]), "the last step")

# Text is text.
[found] = control("GET", "/companies", search="zürich <B>")["companies"]
equal((found["id"], found["name"], found["wallets"]), (company, "Zürich <b>Bank</b>", 3), "company")
equal([a["id"] for a in control("GET", "/approvers", search="robot")["approvers"]], [robot], "approvers")
for path, query in [("/transactions", {"limit": 501}), ("/companies", {"lim": 1}), ("/transactions", {"state": "x"})]:
    equal(control("GET", path, **query)["status"], 400, path)
print("told")
