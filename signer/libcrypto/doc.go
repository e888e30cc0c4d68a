// Package libcrypto signs with the libcrypto of the system (OpenSSL 3 or 4), which takes less time for an RSA signature than Go
// does. It needs neither cgo nor a C compiler: the library is loaded when a [Signer] is made. A Signer is a [crypto.Signer] for
// [qredo.NewRSAAuth]:
//
//	signer, err := libcrypto.FromPEM(pem)
//	auth, err := qredo.NewRSAAuth(apiKey, signer)
//
// The library is not believed: every signature is verified by Go before it leaves, and a wrong one is never returned. Where the
// library is missing, too old, wrong, slower than Go, returns errors or blocks, Go signs, and [Signer.Implementation] says why.
// [WithMode] demands one or the other. It runs within the program all the same, sees the key, and takes the program down if it
// crashes: docs/signer.md says what is trusted, and when this is worth it.
//
// [FromURI] signs with a key that the program never sees, such as one of a PKCS #11 token by OpenSSL's provider for it. There
// Go has no key, and what fails is an error.
//
// On Linux with amd64 or arm64, and on macOS, a program that imports this package is linked with the system's C library, also with
// CGO_ENABLED=0: it does not start where there is none, as in an image made FROM scratch, or where it is another one than glibc.
// Elsewhere this package signs with Go, and adds nothing.
package libcrypto
