package access

import (
	"crypto/sha256"
	"encoding/hex"
	"unicode/utf16"
)

// form is one way in which a part may have been signed. The first of a part's forms is the right one.
type form struct {
	text, found, remedy string
	slips               int // how many things went wrong for it
}

// layout is one way in which the parts may have been put together.
type layout struct {
	join          func(stamp, method, url, body string) string
	found, remedy string
}

var layouts = []layout{
	{func(stamp, _, url, body string) string { return stamp + url + body }, "", ""},
	{func(stamp, method, url, body string) string { return stamp + method + url + body }, "the method was signed too", "sign stamp, URL and body: the method belongs to Qredo API v1 only"},
	{func(stamp, _, url, body string) string { return stamp + "\n" + url + "\n" + body }, "the parts were signed with line ends between them", "put nothing between stamp, URL and body"},
	{func(stamp, _, url, body string) string { return stamp + "\n" + url + body }, "a line end after the stamp was signed", "put nothing between stamp, URL and body: a program that reads the stamp from a command's output cuts its last line end off"},
	{func(stamp, _, url, body string) string { return stamp + url + "\n" + body }, "a line end after the URL was signed", "put nothing between stamp, URL and body"},
	{func(stamp, _, url, body string) string { return stamp + " " + url + " " + body }, "the parts were signed with spaces between them", "put nothing between stamp, URL and body"},
	{func(stamp, _, url, body string) string { return url + stamp + body }, "the URL was signed before the stamp", "sign stamp, URL and body, in this order"},
	{func(stamp, _, url, body string) string { return stamp + body + url }, "the body was signed before the URL", "sign stamp, URL and body, in this order"},
	{func(stamp, _, url, body string) string { return digestOf(stamp + url + body) }, "a digest was signed in place of the text: it was hashed twice", "give the text to the library, or the digest to a function that does not hash again"},
	{func(stamp, _, url, body string) string { return byteOrderMark + stamp + url + body }, "a byte order mark (U+FEFF) was signed before the stamp", "sign the bytes of UTF-8 without a mark"},
	{func(stamp, _, url, body string) string { return latin1(stamp + url + body) }, "the text was signed as ISO 8859-1", utf8Remedy},
	{func(stamp, _, url, body string) string { return wide(stamp+url+body, 0, 8) }, "the text was signed as UTF-16 (little endian)", utf8Remedy},
	{func(stamp, _, url, body string) string { return wide(stamp+url+body, 8, 0) }, "the text was signed as UTF-16 (big endian)", utf8Remedy},
	{func(stamp, _, url, body string) string {
		return hex.EncodeToString([]byte(digestOf(stamp + url + body)))
	}, "the digest in hexadecimal was signed: it was hashed twice", "give the text to the library, not its digest"},
}

const utf8Remedy = "turn the text into bytes as UTF-8, whatever this machine's own encoding is"

// latin1 is a text in ISO 8859-1, with ? for what that does not have.
func latin1(text string) string {
	out := make([]byte, 0, len(text))
	for _, r := range text {
		if r > 0xff {
			r = '?'
		}
		out = append(out, byte(r))
	}
	return string(out)
}

// wide is a text in UTF-16: first the byte that a unit has when it is shifted by low, then that by high.
func wide(text string, first, second int) string {
	out := make([]byte, 0, 2*len(text))
	for _, unit := range utf16.Encode([]rune(text)) {
		out = append(out, byte(unit>>first), byte(unit>>second)) //nolint:gosec // G115: a half of it each
	}
	return string(out)
}

func digestOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return string(sum[:])
}

// covered are the forms of what a signature covers.
type covered struct {
	stamps, urls, bodies []form
	layouts              []layout
	method               string
}

// Up to so many differences are looked for, so that it takes no longer than a request may: in texts that are long each
// costs more.
const (
	mostDifferences  = 3
	longText         = 8 << 10
	mostDifferencesL = 2 // in long ones
)

// slips is how many may have gone wrong in what is signed.
func slips(text string) int {
	if len(text) > longText {
		return mostDifferencesL
	}
	return mostDifferences
}

// match finds the forms that were signed, with as few slips as will do.
func (e *Explained) match(c covered, isSigned func(text string) bool) {
	for n := range slips(e.Verified) + 1 {
		if found, url, text, matched := c.find(n, isSigned); matched {
			if url.found == "" { // one of those that may be signed, if not the first
				e.Verified = c.right(url.text)
			}
			e.Found, e.Signed = append(e.Found, found...), text
			e.Valid = len(e.Found) == 0
			return
		}
	}
}

// right is what must be signed for a URL.
func (c covered) right(url string) string {
	return c.layouts[0].join(c.stamps[0].text, c.method, url, c.bodies[0].text)
}

// find looks for what was signed among the texts in which so many things went wrong.
func (c covered) find(most int, isSigned func(text string) bool) (found []Difference, signedURL form, signed string, matched bool) {
	layouts := make([]form, len(c.layouts))
	for i, l := range c.layouts {
		layouts[i] = form{found: l.found, remedy: l.remedy, slips: min(i, 1)}
	}
	for _, stamp := range c.stamps {
		for _, url := range c.urls {
			for _, body := range c.bodies {
				left := most - stamp.slips - url.slips - body.slips
				if left < 0 || left > 1 {
					continue
				}
				for i, l := range layouts {
					if l.slips != left {
						continue
					}
					text := c.layouts[i].join(stamp.text, c.method, url.text, body.text)
					if !isSigned(text) {
						continue
					}
					for _, d := range []Difference{
						{"stamp", stamp.found, stamp.remedy}, {"url", url.found, url.remedy},
						{"body", body.found, body.remedy}, {"layout", l.found, l.remedy},
					} {
						if d.Found != "" {
							found = append(found, d)
						}
					}
					return found, url, text, true
				}
			}
		}
	}
	return nil, form{}, "", false
}
