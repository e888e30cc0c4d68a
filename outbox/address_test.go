package outbox

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// What only looks like the address that was asked for is another. Each of these was taken for it.
func TestAddressesThatOnlyLookAlike(t *testing.T) {
	const asked = "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq"
	for _, got := range []string{strings.Replace(asked, "k", "\u212a", 1), strings.Replace(asked, "s", "\u017f", 1), strings.Replace(asked, "q", "Q", 1), "BC1" + asked[3:]} {
		assert.False(t, sameRecipient(asked, got), got)
	}
	assert.True(t, sameRecipient(asked, strings.ToUpper(asked)))
	assert.True(t, sameRecipient(strings.ToUpper(asked), asked))
	assert.True(t, sameRecipient("0x52908400098527886E0F7030069857D2E4169EE7", "0x52908400098527886e0f7030069857d2e4169ee7"))
	assert.False(t, sameRecipient("0x52908400098527886E0F7030069857D2E4169EE7", "0x52908400098527886e0f7030069857d2e4169ee8"))
}
