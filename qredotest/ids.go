package qredotest

import (
	"time"

	"github.com/qredo-go/qredo"
)

// The identifiers in the fixtures. They have the shape of the service's own, and belong to nobody.
const (
	CompanyID          qredo.CompanyID       = "1va2cJ2pqdLSFAN5t1knBrnuMvw"
	FundID             qredo.FundID          = "2qa7yEeeby3abP3E2Zs8IQ9Y7aJ"
	WalletID           qredo.WalletID        = "PQ6F7FXDNEXgzgv1XiPti6vj8RsnqDXyCUshN6toSWSp"
	OtherWalletID      qredo.WalletID        = "6oBB92AezWtiAgufXjPAcc921toi7ap9UxDuxE2HEKZG"
	TransferID         qredo.TxID            = "2r5yHUig43kiJfahqSIjOugM1yT"
	WithdrawalID       qredo.TxID            = "2MAd7V3DnI8lFPPwtV5ASPZHu8q"
	CoreClientID       qredo.CoreClientID    = "yyHczDvV9T8SVM5jGU5EjLs8zrAnijQAHy9WFp7SyYBj"
	ActionID           qredo.ActionID        = "209QYNdaKy8isWydfhl3Tvtnyth"
	TrustedID          qredo.TrustedEntityID = "qeMHbTv94pPzWjeuzaTuyZ9bAaZ2xVrCf1rtACAXgo8c"
	WhitelistedAddress                       = "tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sl5k7"
)

// FixtureTime is the time in the fixtures: 14 November 2023, 22:13:20 UTC. Requests expire an hour later.
func FixtureTime() time.Time { return time.Unix(1700000000, 0).UTC() }
