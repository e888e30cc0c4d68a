// Package agentcrypto is the cryptography of Qredo's Signing Agent, with the encodings of Apache Milagro Crypto C
// (AMCL, curve name BLS381): BLS signatures in G1 of BLS12-381, and M-Pin one-pass proofs.
//
// An agent makes its [Key] of a seed and registers with its public halves. It is given a [ClientSecret], keeps the
// [Token] that is left of it without the PIN, and proves itself with the headers of a [Prover]. A service draws a
// [MasterSecret], issues client secrets from it, checks headers with [Check] and signatures with [PublicKey.Verify].
// All of these may be used by several goroutines at once.
//
// A point outside the subgroup of order r, a coordinate not below p, a wrong length or tag is refused everywhere, though
// AMCL takes some of them: else one signature or proof would have several forms. Errors say what is wrong and never
// repeat a value. What is secret prints as [redacted].
//
// # Why circl
//
// The groups are those of github.com/cloudflare/circl, though gnark-crypto is among the dependencies already, and is faster.
// circl multiplies by a secret scalar in constant time, which gnark-crypto does not promise; and its groups take no point from
// outside the subgroup, where gnark-crypto's multiplication is wrong. Such points occur in hashing alone, which has an
// addition of its own for them, on circl's field.
//
// Only operations on public values take a time that depends on the value: messages, IDs, times, and the points of others. There
// are two exceptions. Reading a secret point takes longer by how many of its first bytes are those of the modulus. And
// the public half of an EC key is not made in constant time; nothing is known to use that key, and it does not tell
// the BLS key.
package agentcrypto
