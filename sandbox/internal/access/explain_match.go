package access

import (
	"crypto/sha256"
	"encoding/hex"
)

// form is one way in which a part may have been signed. The first of a part's forms is the right one.
type form struct {
	text, found, remedy string
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
	{func(stamp, _, url, body string) string {
		return hex.EncodeToString([]byte(digestOf(stamp + url + body)))
	}, "the digest in hexadecimal was signed: it was hashed twice", "give the text to the library, not its digest"},
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

// match finds the forms that were signed, with as few differences as will do.
func (e *Explained) match(c covered, isSigned func(text string) bool) {
	most := mostDifferences
	if len(e.Verified) > longText {
		most = mostDifferencesL
	}
	for n := range most + 1 {
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

// find looks for what was signed among the texts that differ in so many parts.
func (c covered) find(differences int, isSigned func(text string) bool) (found []Difference, signedURL form, signed string, matched bool) {
	for _, stamp := range c.stamps {
		for _, url := range c.urls {
			for _, body := range c.bodies {
				for _, l := range c.layouts {
					if differs(stamp.found)+differs(url.found)+differs(body.found)+differs(l.found) != differences {
						continue
					}
					text := l.join(stamp.text, c.method, url.text, body.text)
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

func differs(found string) int {
	if found == "" {
		return 0
	}
	return 1
}
