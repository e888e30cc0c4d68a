package approver

import (
	"bytes"
	"testing"
)

// Any text is an audit log or not, without a panic, and one that was altered in place is not.
func FuzzVerifyLog(f *testing.F) {
	_, lines := newLog(f, 12)
	log := join(lines...)
	f.Add(log, uint16(0), uint8(0))
	f.Add(log, uint16(100), uint8(1))
	f.Add(log[:len(log)-7], uint16(3), uint8(0))
	f.Add([]byte("{}\n{\n"), uint16(0), uint8(0))
	f.Add([]byte(`{"seq":18446744073709551615}`), uint16(0), uint8(0))
	f.Fuzz(func(t *testing.T, text []byte, at uint16, flip uint8) {
		_ = VerifyLog(bytes.NewReader(text)) // whatever it finds, it must end
		_, _ = ReadLog(bytes.NewReader(text))
		altered := bytes.Clone(log)
		altered[int(at)%len(altered)] ^= flip
		if err := VerifyLog(bytes.NewReader(altered)); (err == nil) != (flip == 0) {
			t.Fatalf("byte %d changed by %#x: %v", int(at)%len(altered), flip, err)
		}
	})
}
