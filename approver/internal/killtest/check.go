package killtest

import (
	"fmt"
	"os"
	"strings"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/approver"
)

// check holds what happened at the service against the logs, and both against the rules.
func (k *killTrial) check() {
	k.t.Helper()
	k.Intercept(nil)
	first := k.checkLogs()
	require.Len(k.t, first, k.Trial.Actions)
	k.checkVotes(first)

	sums, counts, verdicts := map[qredo.WalletID]qredo.Amount{}, map[string]int{}, map[string]int{}
	for _, a := range k.World.Actions(k.t) {
		e := first[a.ID]
		if !k.Agent { // whose digests are of what is to be signed, too, which is not told any more
			digest, err := approver.Digest(a)
			require.NoError(k.t, err)
			require.Equal(k.t, digest, e.Digest)
		}
		require.Equal(k.t, map[approver.Verdict]qredo.ApprovalStatus{
			approver.Approve: qredo.ApprovalApproved, approver.Reject: qredo.ApprovalRejected, approver.Leave: qredo.ApprovalPending,
		}[e.Verdict], a.Status, e)
		verdicts[string(e.Verdict)]++
		if strings.Contains(e.Reason, "of at most") {
			verdicts["over the limit"]++
		}
		if a.Status == qredo.ApprovalApproved {
			sums[a.Details.WalletID] += a.Details.Amount
			counts[a.Details.RecipientID]++
		}
	}
	k.t.Logf("verdicts %v; wallets sent %v of %d each; recipients got %v of %d each", verdicts, sums, k.walletSum(), counts, k.recipientCount())
	for wallet, sum := range sums {
		assert.LessOrEqual(k.t, sum, qredo.Amount(k.walletSum()), wallet)
	}
	for recipient, count := range counts {
		assert.LessOrEqual(k.t, count, k.recipientCount(), recipient)
	}
	for _, verdict := range []string{"approve", "reject", "leave", "over the limit"} {
		assert.NotZero(k.t, verdicts[verdict], "the trial shows nothing about %s", verdict)
	}
}

// checkLogs verifies all logs and returns one entry about each action. All entries about an action, in
// all logs, say the same, and one at most says that it was decided then.
func (k *killTrial) checkLogs() map[qredo.ActionID]approver.Entry {
	k.t.Helper()
	first, decisions := map[qredo.ActionID]approver.Entry{}, map[qredo.ActionID]int{}
	kinds := map[approver.EntryKind]int{}
	for i := range k.Replicas {
		log, err := approver.OpenAuditLog(k.log(i)) // removes what the last kill has cut
		require.NoError(k.t, err)
		head := log.Head()
		require.NoError(k.t, log.Close())
		file, err := os.Open(k.log(i))
		require.NoError(k.t, err)
		require.NoError(k.t, approver.VerifyLog(file, approver.WithHead(head)))
		_, err = file.Seek(0, 0)
		require.NoError(k.t, err)
		entries, err := approver.ReadLog(file)
		require.NoError(k.t, err)
		require.NoError(k.t, file.Close())
		for _, e := range entries {
			kinds[e.Kind]++
			if e.ActionID == "" || e.Kind == approver.EntrySeen { // which says nothing yet
				continue
			}
			if e.Kind == approver.EntryDecision {
				decisions[e.ActionID]++
			}
			if one, found := first[e.ActionID]; found {
				require.Equal(k.t, [3]string{one.Digest, string(one.Verdict), one.Rule}, [3]string{e.Digest, string(e.Verdict), e.Rule})
			} else {
				first[e.ActionID] = e
			}
		}
	}
	for id, n := range decisions {
		require.Equal(k.t, 1, n, "%s was decided %d times", id, n)
	}
	k.t.Logf("lines %v; %d actions have a decision line, for %d their replica was killed before it", kinds, len(decisions), len(first)-len(decisions))
	return first
}

// checkVotes demands that no action got votes of both kinds, or one that the logs do not know.
func (k *killTrial) checkVotes(first map[qredo.ActionID]approver.Entry) {
	k.t.Helper()
	again := 0
	for path, methods := range k.votes {
		id := qredo.ActionID(path[strings.LastIndex(path, "/")+1:])
		want := map[approver.Verdict]string{approver.Approve: "PUT", approver.Reject: "DELETE"}[first[id].Verdict]
		require.Len(k.t, methods, 1, path)
		require.NotZero(k.t, methods[want], fmt.Sprint(path, methods))
		again += methods[want] - 1
	}
	k.t.Logf("%d actions were voted on, %d votes were sent again", len(k.votes), again)
}
