package main

import (
	"embed"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// texts are the licences that are known word by word. "<<holder>>" stands for a name.
//
//go:embed texts
var texts embed.FS

// allowed are the licences of what ships and of what importers get. All of them ask only to be named.
var allowed = []string{"Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT"}

// marks are words by which other licences are told: enough to name what is not allowed, and not enough to allow anything.
var marks = []struct{ id, words string }{
	{"AGPL-3.0", "gnu affero general public license version 3"},
	{"LGPL-3.0", "gnu lesser general public license version 3"},
	{"LGPL-2.1", "gnu lesser general public license version 2 1"},
	{"GPL-3.0", "gnu general public license version 3"},
	{"GPL-2.0", "gnu general public license version 2"},
	{"MPL-2.0", "mozilla public license version 2 0"},
	{"EPL-2.0", "eclipse public license v 2 0"},
	{"SSPL-1.0", "server side public license"},
	{"BUSL-1.1", "business source license 1 1"},
	{"CC0-1.0", "cc0 1 0 universal"},
	{"Unlicense", "this is free and unencumbered software released into the public domain"},
	{"BSL-1.0", "boost software license version 1 0"},
	{"Zlib", "altered source versions must be plainly marked as such and must not be misrepresented as being the original software"},
}

// notice is how a file says that it is under the Apache License.
const notice = `Licensed under the Apache License, Version 2.0 (the "License"); you may not use this file except in compliance with the License.
You may obtain a copy of the License at http://www.apache.org/licenses/LICENSE-2.0
Unless required by applicable law or agreed to in writing, software distributed under the License is distributed on an "AS IS" BASIS,
WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
See the License for the specific language governing permissions and limitations under the License.`

var (
	quoting   = regexp.MustCompile(`(?m)^[ \t]*>[ \t]?`)
	copyright = regexp.MustCompile(`(?m)^[ \t*#/_]*((Portions |Modifications |Original |Initial |All )?(Copyright|COPYRIGHT)(:? \([cC]\)|:? \(?©|:? ?[0-9\[{]| (by |the )?[A-Z][a-z]).*|\([cC]\) .*|© .*|All [Rr]ights [Rr]eserved\.?[ \t]*)$`)
	bullet    = regexp.MustCompile(`(?m)^[ \t]*(\(?[0-9a-z][.)]|[*-])[ \t]+`)
	noWord    = regexp.MustCompile(`[^\p{L}\p{N}]+`) // a clause in another language has words too
)

// words are a text's words, with one space between them, without what changes from one copy of a licence to the next.
func words(text string) string {
	text = quoting.ReplaceAllString(strings.ReplaceAll(text, "\r", ""), "")
	text = copyright.ReplaceAllStringFunc(text, func(line string) string {
		if terms.MatchString(strings.ToLower(line)) {
			return line
		}
		return ""
	})
	text = strings.ToLower(bullet.ReplaceAllString(text, ""))
	return strings.TrimSpace(noWord.ReplaceAllString(text, " "))
}

// Every part of a licence's file must be one of these: a licence, or words that give and take no right.
type part struct {
	id      string // of the licence; empty: words around it
	pattern *regexp.Regexp
}

var parts = sync.OnceValue(func() []part {
	files, err := texts.ReadDir("texts")
	if err != nil {
		panic(err) // they are built in
	}
	var known []part
	for _, file := range files {
		text, err := texts.ReadFile("texts/" + file.Name())
		if err != nil {
			panic(err)
		}
		id, _, _ := strings.Cut(strings.TrimSuffix(file.Name(), ".txt"), "+") // a variant is called after its licence
		known = append(known, part{id, pattern(string(text))})
	}
	known = append(known, part{"Apache-2.0", pattern(notice)})
	for _, around := range []string{
		// go.yaml.in/yaml, and what is made of it
		`this project is covered by two different licenses mit and apache( mit license)?`, `the following files were ported to go from c files of libyaml and thus are still ` +
			`covered by their original (mit license|copyright and license) with the additional copyright sta(rt|r)ing in 2011 when the project was ported over [a-z ]{1,120} yamlprivateh go`,
		`(apache license )?all the remaining project files are covered by the apache license`,
		`[a-z]+ is distributed under the simplified bsd license`,
		`apache license version 2 0 january 2004( lt)? https? www apache org licenses( gt)?`, `terms and conditions for use reproduction and distribution`,
		`end of terms and conditions( appendix how to apply the apache license to your work( to apply the apache license to your work attach ` +
			`the following boilerplate notice with the fields enclosed by brackets replaced with your own identifying information don t ` +
			`include the brackets the text should be enclosed in the appropriate comment syntax for the file format we also recommend that a file ` +
			`or class name and description of purpose be included on the same printed page as the copyright notice for easier identification ` +
			`within third party archives)?)?`,
		`(the )?mit license( mit| expat)?`, `(the )?isc license`, `(the )?(new |modified |simplified )?bsd ([23] clause )?license`,
	} {
		known = append(known, part{"", regexp.MustCompile(`\b` + around + `\b`)})
	}
	return known
})

// pattern matches a licence's words, with any name in place of "<<holder>>".
func pattern(text string) *regexp.Regexp {
	var exact []string
	for _, piece := range strings.Split(text, "<<holder>>") {
		exact = append(exact, strings.ReplaceAll(words(piece), " noninfringement", " non ?infringement"))
	}
	// Go's regexp takes the shortest first, so that a name never reaches over what follows it.
	all := strings.Join(exact, ` ((?:[\p{L}\p{N}]+ ){1,16}?)`)
	all = strings.Replace(all, "http www apache org", "https? www apache org", 1)
	all = strings.ReplaceAll(all, "and or distribute", "(?:and or|and|or) distribute")
	return regexp.MustCompile(`\b` + all + `\b`)
}

// terms are words that no name has: text with one of them in place of a name says something else.
var terms = regexp.MustCompile(`\b(not|no|must|shall|may|should|fee|fees|pay|payment|unless|except|only|commercial|provided|permitted|if|use|uses|you|your|prohibited|forbidden|restricted|required|requires|evaluation|redistribution|redistribute|modify|sell)\b`)

// classify says which licences a text consists of. A text with anything else in it has none: "unknown", with the words that are not known.
func classify(text string) (ids []string, unknown string) {
	rest := words(text)
	for _, p := range parts() {
		rest = p.pattern.ReplaceAllStringFunc(rest, func(found string) string {
			if p.id != "" {
				for _, name := range names(p.pattern, found) {
					if terms.MatchString(name) {
						return found
					}
				}
				ids = append(ids, p.id)
			}
			return "|"
		})
	}
	rest = strings.Trim(rest, "| ")
	if rest == "" && len(ids) > 0 {
		slices.Sort(ids)
		return slices.Compact(ids), ""
	}
	all, first := words(text), -1
	for _, m := range marks {
		if at := strings.Index(all, m.words); at >= 0 && (first < 0 || at < first) { // the MPL names three of the GPL's family, later
			first, ids = at, []string{m.id}
		}
	}
	if first >= 0 {
		return ids, ""
	}
	if rest == "" {
		rest = "no licence at all"
	}
	return nil, fmt.Sprintf("%.120s", rest)
}

// names are what stands in place of "<<holder>>".
func names(pattern *regexp.Regexp, found string) []string {
	if m := pattern.FindStringSubmatch(found); m != nil {
		return m[1:]
	}
	return nil
}

func permitted(ids []string) bool {
	return len(ids) > 0 && !slices.ContainsFunc(ids, func(id string) bool { return !slices.Contains(allowed, id) })
}
