package world

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/qredo-go/qredo"
)

// Person is who a user is.
type Person struct {
	ID        qredo.TrustedEntityID `json:"id"`
	Email     string                `json:"email"`
	Username  string                `json:"username"`
	FirstName string                `json:"first_name"`
	LastName  string                `json:"last_name"`
}

// User is a person who has an account with the service, or was asked to make one.
type User struct{ userCreated }

type userCreated struct {
	Person
	Invited bool // known by e-mail only, so far
}

func (e userCreated) apply(st *state, _ time.Time) {
	u := &User{e}
	st.users[string(e.ID)] = u
	st.userByEmail[strings.ToLower(e.Email)] = u
}

// FullName is what a user is called: by the name of the account where there is no other.
func (u *User) FullName() string {
	if name := strings.TrimSpace(u.FirstName + " " + u.LastName); name != "" {
		return name
	}
	return u.Username
}

// Users are all users, by their e-mails.
func (st *state) Users() []*User {
	return slices.SortedFunc(maps.Values(st.users), func(a, b *User) int { return strings.Compare(a.Email, b.Email) })
}

// User returns the user with an ID, nil if there is none.
func (st *state) User(id string) *User { return st.users[id] }

// user returns the user with an ID or e-mail.
func (st *state) user(name string) (*User, error) {
	u := st.users[name]
	if u == nil {
		u = st.userByEmail[strings.ToLower(strings.TrimSpace(name))]
	}
	if u == nil {
		return nil, notFound("user")
	}
	return u, nil
}

// CreateUser makes a user and returns them with their ID. An e-mail that was invited to a trusted network keeps
// the ID it got then.
func (u *Update) CreateUser(p Person) (Person, error) {
	p.Email = strings.TrimSpace(p.Email)
	if !strings.Contains(p.Email, "@") {
		return Person{}, invalid("email must be an e-mail address")
	}
	switch known := u.userByEmail[strings.ToLower(p.Email)]; {
	case known == nil:
		p.ID = qredo.TrustedEntityID(u.ids.account())
	case known.Invited:
		p.ID = known.ID
	default:
		return p, conflict("the user exists already")
	}
	if p.Username == "" {
		p.Username, _, _ = strings.Cut(p.Email, "@")
	}
	u.change(userCreated{Person: p})
	return p, nil
}
