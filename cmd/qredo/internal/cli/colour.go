package cli

import "strings"

// Colours are used only on terminals, and not if NO_COLOR is set.

func (a *app) escape(code, text string) string {
	if !a.colour || text == "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

func (a *app) bold(text string) string { return a.escape("1", text) }
func (a *app) dim(text string) string  { return a.escape("2", text) }

// paint colours the word for a state.
func (a *app) paint(text string) string {
	switch strings.ToLower(text) {
	case "approved", "taker_approved", "ready", "new", "ok", "connected":
		return a.escape("32", text)
	case "pending", "taker_pending", "pending_initiate", "existing", "initiated", "warning":
		return a.escape("33", text)
	case "rejected", "custody_rejected", "chain_rejected", "initiate_rejected", "expired", "failed", "fault":
		return a.escape("31", text)
	}
	return text
}
