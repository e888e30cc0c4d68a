package browsertest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// pictures is the folder that pictures are kept in: QREDO_CONSOLE_PICTURES, else a new one.
var pictures = sync.OnceValue(func() string {
	dir := os.Getenv("QREDO_CONSOLE_PICTURES")
	if dir == "" {
		dir, _ = os.MkdirTemp("", "qredo-console-pictures")
	}
	_ = os.MkdirAll(dir, 0o755)
	fmt.Println("pictures of the console are in", dir)
	return dir
})

// keep keeps a picture of what is seen.
func (p *tab) keep(name string) {
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	picture, err := chromedp.Call(ctx, page.CaptureScreenshot, page.CaptureScreenshotParams{})
	if err == nil {
		err = os.WriteFile(filepath.Join(pictures(), name+".png"), picture.Data, 0o600)
	}
	if err != nil {
		p.t.Logf("no picture of %s: %v", name, err)
	}
}

// look sets how wide the page is, and whether light or dark.
func (p *tab) look(width int64, scheme string) {
	height := int64(900)
	if width < 700 {
		height = 760
	}
	ask(p, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: width, Height: height, DeviceScaleFactor: 1, Mobile: width < 700})
	ask(p, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
}
