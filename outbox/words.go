package outbox

import "time"

// InWords describes the state of an entry in a sentence or two, for people. It reveals nothing about the payment: Reason and
// the steps have what the service and others have said.
func (e Entry) InWords(now time.Time) string {
	switch {
	case e.Request == nil:
		return "The stored record can no longer be read. Nothing is sent for it, and what became of the payment cannot be determined here."
	case e.State == StateHeld && e.Unknown && e.late(now):
		return "It waits for a person's decision. Its transaction may have been made, and the request has expired since."
	case e.State == StateHeld && e.Unknown:
		return "It waits for a person's decision. Its transaction may have been made."
	case e.State == StateHeld && e.TxID != "":
		return "It waits for a person's decision. Its transaction was made, and has not ended in time."
	case e.State == StateHeld:
		return "It waits for a person's decision."
	case e.State == StatePending && e.Unknown && e.late(now):
		return "Its transaction may have been made, and the request has expired since. It is sent again all the same, less and less often, " +
			"but an answer may never come: a person has to find out what happened."
	case e.State == StatePending && e.Unknown:
		return "Its transaction may have been made, though no answer has said so. The request is sent again with the same PartnerTxID, " +
			"for which the service makes at most one transaction."
	case e.State == StatePending && e.Sending:
		return "It is being sent, or was when the program that sent it ended."
	case e.State == StatePending && e.Late:
		return "It seems to have expired before it was sent. This is checked again, since a clock may be wrong."
	case e.State == StatePending && e.Attempts == 0:
		return "It has not been sent yet."
	case e.State == StatePending:
		return "No attempt has made its transaction so far. It is sent again."
	case e.State == StateSent && e.Named:
		return "A person has named its transaction, which is followed until it ends."
	case e.State == StateSent:
		return "Its transaction was made, and is followed until it ends."
	case e.State == StateDone && e.Named:
		return "The transaction that a person has named was approved, and the money moved."
	case e.State == StateDone:
		return "Its transaction was approved, and the money moved."
	case e.State == StateFailed:
		return "There is no transaction: the service has refused the request, or a person has found none."
	case e.State == StateRejected:
		return "Its transaction was rejected, and nothing moved."
	case e.State == StateExpired && e.TxID != "":
		return "Its transaction was not approved in time, and nothing moved."
	case e.State == StateExpired:
		return "It was not sent in time, and nothing moved."
	}
	return "Its state comes from another version of this program."
}
