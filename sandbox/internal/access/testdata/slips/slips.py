# What programs in Python sign while they send something else: a line each of part, what was sent and what was signed, in base64.
import base64
import json
import re
import unicodedata
from urllib.parse import quote, quote_plus, unquote, urlencode


def slip(part, sent, signed):
    b64 = lambda text: base64.b64encode(text.encode()).decode()
    print(part, b64(sent), b64(signed), sep="\t")


order = {"name": "Zürich & Söhne <AG>", "emoji": "😀", "amount": 100.0, "n": 3, "list": [1, 2], "ok": True, "none": None, "path": "a/b", "quote": "it's \"so\""}
sent = json.dumps(order, ensure_ascii=False, separators=(",", ":"))
slip("body", sent, json.dumps(order))
slip("body", json.dumps(order), sent)
slip("body", sent, json.dumps(order, ensure_ascii=False))
slip("body", sent, json.dumps(order, sort_keys=True, separators=(",", ":"), ensure_ascii=False))
slip("body", sent, json.dumps(order, sort_keys=True))
slip("body", sent, json.dumps(order, indent=2, ensure_ascii=False))
slip("body", sent, json.dumps(order, indent=4))
slip("body", sent, json.dumps(order, indent="\t", ensure_ascii=False))
slip("body", sent, json.dumps(sent))
slip("body", sent, sent + "\n")
slip("body", "\ufeff" + sent, sent)
slip("body", sent, unicodedata.normalize("NFD", sent))
slip("body", '{"amount":1,"fee":2}', json.dumps({"amount": 1.0, "fee": 2.0}, separators=(",", ":")))
slip("body", '{"amount":1e2}', json.dumps({"amount": 1e2}, separators=(",", ":")))
simple = {"name": "Acme", "ok": True, "none": None, "n": 1}
slip("body", json.dumps(simple, separators=(",", ":")), str(simple))
slip("body", "", json.dumps({}))
slip("body", "", str(None))

service = "http://127.0.0.1:8765/api/v1/p"
for text in ["Zürich AG", "a+b&c=d", "O'Neil (Ltd)!*~", "100% sure/?"]:
    standard = f"{service}/company/search?query={quote(text, safe='')}"
    for other in [quote(text), quote_plus(text), text, quote(quote(text, safe=""), safe=""), re.sub("%..", lambda m: m[0].lower(), quote(text, safe="")), quote(unicodedata.normalize("NFD", text), safe="")]:
        signed = f"{service}/company/search?query={other}"
        if signed != standard:
            slip("url", standard, signed)
plus = f"{service}/company/search?" + urlencode({"query": "Zürich AG", "limit": 5})
slip("url", plus, unquote(plus))
slip("url", plus, plus.replace("+", "%20"))
slip("url", f"{service}/assets", f"{service}/assets?" + urlencode({}))
slip("url", f"{service}/assets", f"{service}//assets")
slip("url", f"{service}//assets", f"{service}/assets")
