"""What a Signing Agent computes: keys, signatures, tokens and proofs, with the standard library alone.

Points are Jacobian triples (X, Y, Z): x = X/Z^2, y = Y/Z^3, and Z = 0 is infinity. All three curves are
y^2 = x^3 + b, so one set of formulas serves them. This is test code: its time depends on the secrets.
"""

import base64
import functools
import hashlib
import json
import secrets

P = 0x1A0111EA397FE69A4B1BA7B6434BACD764774B84F38512BF6730D2A0F6B0F6241EABFFFEB153FFFFB9FEFFFFFFFFAAAB
R = 0x73EDA753299D7D483339D80809A1D80553BDA402FFFE5BFEFFFFFFFF00000001
COFACTOR = 0x396C8C005555E1568C00AAAB0000AAAB  # of G1, the whole of it


class Fp2:
    """a + b*i with i^2 = -1. The operators mirror those of int, so that the curve's formulas take either."""

    __slots__ = ("a", "b")

    def __init__(self, a, b):
        self.a, self.b = a, b

    def __add__(self, o):
        return Fp2(self.a + o.a, self.b + o.b)

    def __sub__(self, o):
        return Fp2(self.a - o.a, self.b - o.b)

    def __mul__(self, o):
        return Fp2(self.a * o.a - self.b * o.b, self.a * o.b + self.b * o.a)

    def __rmul__(self, n):
        return Fp2(n * self.a, n * self.b)

    def __mod__(self, p):
        return Fp2(self.a % p, self.b % p)

    def __bool__(self):
        return self.a != 0 or self.b != 0

    def __eq__(self, o):
        return self.a == o.a and self.b == o.b

    def inverse(self, p):
        n = pow(self.a * self.a + self.b * self.b, -1, p)
        return Fp2(self.a * n, -self.b * n) % p


G2 = (
    Fp2(
        0x024AA2B2F08F0A91260805272DC51051C6E47AD4FA403B02B4510B647AE3D1770BAC0326A805BBEFD48056C8C121BDB8,
        0x13E02B6052719F607DACD3A088274F65596BD0D09920B61AB5DA61BBDC7F5049334CF11213945D57E5AC7D055D042B7E,
    ),
    Fp2(
        0x0CE5D527727D6E118CC9CDC6DA2E351AADFD9BAA8CBDD3A76D429A695160D12C923AC9CC3BACA289E193548608B82801,
        0x0606C4A02EA734CC32ACD2B02BC28B99CB3E287E85A763AF267492AB572E99AB3F370D275CEC1DA1AAA9075FF05F79BE,
    ),
    Fp2(1, 0),
)
SECP256K1_P = 2**256 - 2**32 - 977
SECP256K1_G = (
    0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798,
    0x483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8,
    1,
)


def double(pt, p=P):
    x, y, z = pt
    yy = y * y % p
    s = 4 * (x * yy) % p
    m = 3 * (x * x) % p
    x3 = (m * m - 2 * s) % p
    return x3, (m * (s - x3) - 8 * (yy * yy)) % p, 2 * (y * z) % p


def add(a, b, p=P):
    if not a[2]:
        return b
    if not b[2]:
        return a
    az, bz = a[2] * a[2] % p, b[2] * b[2] % p
    u, s = a[0] * bz % p, a[1] * bz * b[2] % p
    h = (b[0] * az - u) % p
    d = (b[1] * az * a[2] - s) % p
    if not h:  # the same x: the same point, or its opposite
        return double(a, p) if not d else (a[0], a[1], a[2] - a[2])
    hh = h * h % p
    v, hhh = u * hh % p, h * hh % p
    x = (d * d - hhh - 2 * v) % p
    return x, (d * (v - x) - s * hhh) % p, h * a[2] * b[2] % p


def neg(pt):
    x, y, z = pt
    return x, (y - 2 * y) % P, z


def mul(n, pt, p=P):
    """n times pt. n is not reduced: the point may be outside the subgroup."""
    out = (pt[0], pt[1], pt[2] - pt[2])
    for bit in bin(n)[2:]:
        out = double(out, p)
        if bit == "1":
            out = add(out, pt, p)
    return out


def affine(pt, p=P):
    x, y, z = pt
    inv = z.inverse(p) if isinstance(z, Fp2) else pow(z, -1, p)
    sq = inv * inv % p
    return x * sq % p, y * sq * inv % p


def be(n, size=48):
    return n.to_bytes(size, "big")


def encode97(pt):
    x, y = affine(pt)
    return b"\x04" + be(x) + be(y)


def encode49(pt):
    x, y = affine(pt)
    return bytes([2 + (y & 1)]) + be(x)


def encode192(pt):
    x, y = affine(pt)
    return be(x.a) + be(x.b) + be(y.a) + be(y.b)


@functools.lru_cache(maxsize=None)  # an agent decodes its token for each proof, and the check is dear
def decode97(data):
    """A point of the subgroup. ValueError where it is none, or is not written in the one right way."""
    if len(data) != 97 or data[0] != 4:
        raise ValueError("not 04, x, y")
    x, y = int.from_bytes(data[1:49], "big"), int.from_bytes(data[49:], "big")
    if x >= P or y >= P:
        raise ValueError("a coordinate is too large")
    if (y * y - x * x * x - 4) % P:
        raise ValueError("not on the curve")
    if mul(R, (x, y, 1))[2]:
        raise ValueError("not in the subgroup")
    return x, y, 1


def csprng(seed):
    """Yields the bytes of Milagro's generator: Marsaglia and Zaman's subtract with borrow, hashed."""
    ira, borrow, ptr = [0] * 21, 0, 0
    mask = 0xFFFFFFFF

    def word():
        nonlocal borrow, ptr
        ptr += 1
        if ptr < 21:
            return ira[ptr]
        ptr = 0
        for i in range(21):
            t = ira[(i + 15) % 21]
            q = (t - ira[i] - borrow) & mask
            if q != t:
                borrow = int(q > t)
            ira[i] = q
        return ira[0]

    digest = hashlib.sha256(seed).digest()
    for at in range(0, 32, 4):
        s, m = int.from_bytes(digest[at : at + 4], "little"), 1
        borrow = ptr = 0
        ira[0] ^= s
        for i in range(1, 21):
            ira[8 * i % 21] ^= m
            m, s = (s - m) & mask, m
        for _ in range(10000):
            word()
    while True:
        yield from hashlib.sha256(bytes(word() & 0xFF for _ in range(128))).digest()


def scalar(rng):
    """510 bits, each byte's lowest first, the first drawn on top."""
    n = 0
    for i in range(510):
        if i % 8 == 0:
            byte = next(rng)
        n = n << 1 | byte >> i % 8 & 1
    return n % R


def mapit(w):
    x = int.from_bytes(w, "big") % P
    while True:
        rhs = (x * x * x + 4) % P
        y = pow(rhs, (P + 1) // 4, P)
        if rhs and y * y % P == rhs:
            pt = mul(COFACTOR, (x, P - y if y & 1 else y, 1))
            if pt[2]:
                return pt
        x = (x + 1) % P


def hash_message(message):
    return mapit(hashlib.shake_256(message).digest(48))


@functools.lru_cache(maxsize=None)
def hash_id(client_id):
    return mapit(bytes(16) + hashlib.sha256(client_id).digest())


class Keys:
    """All keys of an agent come from one seed, 48 random bytes."""

    def __init__(self, seed):
        self.bls = scalar(csprng(seed))
        self.ec = int.from_bytes(hashlib.sha256(seed).digest(), "big")

    def bls_public(self):
        return encode192(mul(self.bls, G2))

    def ec_public(self):
        x, y = affine(mul(self.ec, SECP256K1_G, SECP256K1_P), SECP256K1_P)
        return b"\x04" + be(x, 32) + be(y, 32)

    def sign(self, message):
        return encode49(mul(self.bls, hash_message(message)))


def pin_point(client_id, pin):
    if pin < 0:
        raise ValueError("a PIN is not negative")
    return mul(pin % 10000, hash_id(client_id))


def make_token(client_id, client_secret, pin):
    """The client secret without the PIN's share of it: of no use to who does not know the PIN."""
    return encode97(add(decode97(client_secret), neg(pin_point(client_id, pin))))


def token_and_pin(client_id, token, pin):
    return add(decode97(token), pin_point(client_id, pin))


def challenge(et, u):
    # The reference code keeps the time in a signed C int and leaves it out of the hash if that is not positive.
    stamp = be(et, 4) if 0 < et < 2**31 else b""
    return int.from_bytes(hashlib.sha256(stamp + u).digest(), "big") % R


def prove(client_id, token, pin, et, x=None):
    """U and V of a one-pass proof. x is random in 1..R-1 unless a test gives it."""
    x = x or 1 + secrets.randbelow(R - 1)
    u = encode97(mul(x, hash_id(client_id)))
    y = challenge(et, u)
    v = neg(mul((x + y) % R, token_and_pin(client_id, token, pin)))
    return u, encode97(v)


def proof_header(client_id, et, u, v):
    def b64(data):
        return base64.b64encode(data).decode()

    fields = {"ID": b64(client_id), "ET": et, "U": b64(u), "V": b64(v)}
    return json.dumps(fields, separators=(",", ":")).encode().hex()
