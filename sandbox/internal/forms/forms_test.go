package forms

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox/internal/custody"
	"github.com/qredo-go/qredo/sandbox/internal/world"
)

func TestInitials(t *testing.T) {
	for want, names := range map[string][]string{
		"AB": {"alice", " Baker"}, "Ü": {"", "über"}, "": {"", "  "}, "A": {"Acme Holdings"},
	} {
		assert.Equal(t, want, initials(names...))
	}
}

func TestTimeIsToTheSecond(t *testing.T) {
	moment := time.Date(2026, 3, 1, 12, 0, 0, 999_999_999, time.UTC)
	assert.Equal(t, qredo.Unix(moment.Unix()), Time(moment))
}

func TestEntities(t *testing.T) {
	w, err := world.New(world.Config{Clock: time.Now, Changed: func(world.Changes) {}})
	require.NoError(t, err)
	var user, nameless world.Person
	var bot *world.CoreClient
	require.NoError(t, w.Update(func(u *world.Update) (err error) {
		if user, err = u.CreateUser(world.Person{Email: "alice@example.com", FirstName: "Alice", LastName: "Able"}); err != nil {
			return err
		}
		if nameless, err = u.CreateUser(world.Person{Email: "bob@example.com"}); err != nil {
			return err
		}
		bot, err = u.CreateCoreClient("ours", "Bot")
		return err
	}))
	require.NoError(t, w.View(func(v *world.View) error {
		id := string(user.ID)
		assert.Equal(t, qredo.Entity{
			ID: id, Name: "Alice Able", AccountCode: world.AccountCode(id), Initials: "AA", Type: qredo.TrustedPartyUser,
			User: &qredo.EntityUser{FirstName: "Alice", LastName: "Able", Email: "alice@example.com", Username: "alice"},
		}, Entity(v, id))
		assert.Equal(t, "B", Entity(v, string(nameless.ID)).Initials, "of the account's name, where there is no other")
		assert.Equal(t, qredo.Entity{
			ID: string(bot.ID), Name: "Bot", AccountCode: string(bot.ID), Initials: "C", Type: qredo.TrustedPartyCoreClient,
			CoreClient: &qredo.EntityCoreClient{Name: "Bot"},
		}, Entity(v, string(bot.ID)))
		assert.Equal(t, qredo.Entity{ID: "x"}, Entity(v, "x"))

		assert.Nil(t, Policy(v, nil))
		assert.Empty(t, PolicyID(nil))
		p := &custody.Policy{ID: "p", Name: "Group", Threshold: 2, Members: []string{id, string(bot.ID)}}
		policy := Policy(v, p)
		assert.Equal(t, qredo.PolicyID("p"), policy.ID)
		assert.Equal(t, 2, policy.MembersCount)
		assert.Equal(t, Entity(v, string(bot.ID)), policy.Members[1].Entity)
		return nil
	}))
}
