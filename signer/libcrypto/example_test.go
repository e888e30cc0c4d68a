package libcrypto_test

import (
	"fmt"
	"log"
	"os"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/signer/libcrypto"
)

// The key belongs to the program. If the system's libcrypto is faster, it signs; otherwise Go does.
func ExampleFromPEM() {
	pem, err := os.ReadFile("testdata/rsa2048.pem")
	if err != nil {
		log.Fatal(err)
	}
	signer, err := libcrypto.FromPEM(pem)
	if err != nil {
		log.Fatal(err)
	}
	defer signer.Close()
	log.Println("requests are signed by", signer.Implementation())

	auth, err := qredo.NewRSAAuth("the-api-key", signer)
	if err != nil {
		log.Fatal(err)
	}
	client, err := qredo.NewClient(auth, qredo.WithEnvironment(qredo.EnvironmentSandbox))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(client != nil, signer)
	// Output: true libcrypto.Signer(redacted)
}

// The key is in a token, and the program never sees it. The configuration file activates OpenSSL's provider for PKCS #11.
func ExampleFromURI() {
	signer, err := libcrypto.FromURI("pkcs11:token=custody;object=qredo?pin-source=file:/etc/qredo/pin",
		libcrypto.WithConfig("/etc/qredo/openssl.cnf"))
	if err != nil {
		log.Fatal(err)
	}
	defer signer.Close()
	auth, err := qredo.NewRSAAuth("the-api-key", signer)
	if err != nil {
		log.Fatal(err)
	}
	_ = auth
}
