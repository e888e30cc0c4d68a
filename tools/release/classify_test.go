package main

import (
	"os"
	"strings"
	"testing"
)

func known(t *testing.T, name string) string {
	t.Helper()
	text, err := texts.ReadFile("texts/" + name + ".txt")
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(text), "<<holder>>", "the copyright holder nor the names of its contributors")
}

func quoted(text string) string {
	return "> " + strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n> ")
}

func TestClassify(t *testing.T) {
	apache, err := os.ReadFile("../../LICENSE")
	if err != nil {
		t.Fatal(err)
	}
	mit, bsd2, bsd3, isc := known(t, "MIT"), known(t, "BSD-2-Clause"), known(t, "BSD-3-Clause"), known(t, "ISC")
	for name, c := range map[string]struct{ text, ids string }{
		"MIT":                     {"The MIT License (MIT)\n\nCopyright (c) 2020 Somebody\n\n" + mit, "MIT"},
		"MIT without a title":     {"Copyright © 2020, 2021 Somebody <a@example.com>. All rights reserved.\n\n" + mit, "MIT"},
		"MIT, non-infringement":   {strings.ReplaceAll(mit, "NONINFRINGEMENT", "NON-INFRINGEMENT"), "MIT"},
		"MIT, broken otherwise":   {strings.ReplaceAll(mit, " ", "\r\n"), "MIT"},
		"BSD-2-Clause":            {"Copyright 2020 Somebody\nAll rights reserved.\n" + bsd2, "BSD-2-Clause"},
		"BSD-2-Clause, quoted":    {"Blackfriday is distributed under the Simplified BSD License:\n\n" + quoted("Copyright © 2011 Russ Ross\nAll rights reserved.\n\n"+bsd2), "BSD-2-Clause"},
		"BSD-2-Clause, numbered":  {strings.NewReplacer("Redistributions of", "1. Redistributions of", "Redistributions in", "2. Redistributions in").Replace(bsd2), "BSD-2-Clause"},
		"BSD-3-Clause":            {"Copyright (c) 2009 The Go Authors. All rights reserved.\n" + bsd3, "BSD-3-Clause"},
		"BSD-3-Clause, otherwise": {known(t, "BSD-3-Clause+contributors"), "BSD-3-Clause"},
		"ISC":                     {"ISC License\n\nCopyright (c) 2020 Somebody\n" + isc, "ISC"},
		"ISC, and":                {strings.ReplaceAll(isc, "and/or distribute", "and distribute"), "ISC"},
		"Apache-2.0":              {string(apache), "Apache-2.0"},
		"Apache-2.0, its notice":  {"Copyright 2020 Somebody\n" + notice, "Apache-2.0"},
		"two":                     {mit + "\n---------\n" + notice, "Apache-2.0 MIT"},
		"another two":             {bsd3 + "\n=====\n\nCopyright (c) 2009 The Go Authors. All rights reserved.\n\n" + bsd2, "BSD-2-Clause BSD-3-Clause"},

		"GPL-3.0":             {"GNU GENERAL PUBLIC LICENSE\n Version 3, 29 June 2007\n\nUse with the GNU Affero General Public License.", "GPL-3.0"},
		"GPL-2.0":             {"		    GNU GENERAL PUBLIC LICENSE\n		       Version 2, June 1991\n\n Copyright (C) 1989, 1991 Free Software Foundation, Inc.,", "GPL-2.0"},
		"LGPL-3.0":            {"GNU LESSER GENERAL PUBLIC LICENSE\n Version 3, 29 June 2007\n the terms and conditions of version 3 of the GNU General Public License", "LGPL-3.0"},
		"LGPL-2.1":            {"GNU LESSER GENERAL PUBLIC LICENSE\n Version 2.1, February 1999", "LGPL-2.1"},
		"AGPL-3.0":            {"GNU AFFERO GENERAL PUBLIC LICENSE\n Version 3, 19 November 2007", "AGPL-3.0"},
		"MPL-2.0":             {"Mozilla Public License Version 2.0\n either the GNU General Public License, Version 2.0, the GNU Affero General Public License, Version 3.0, or", "MPL-2.0"},
		"BUSL-1.1":            {"Business Source License 1.1\n\nLicensor: Somebody", "BUSL-1.1"},
		"MIT beside GPL-3.0":  {mit + "\nGNU GENERAL PUBLIC LICENSE\nVersion 3, 29 June 2007", "GPL-3.0"},
		"MIT with Commons":    {mit + "\n\"Commons Clause\": the License does not grant to you the right to Sell the Software.", ""},
		"MIT without the end": {mit[:len(mit)/2], ""},
		"MIT that was changed": {
			strings.Replace(mit, "including without limitation the rights", "including without limitation, except for military use, the rights", 1), "",
		},
		"MIT without a fee":         {strings.Replace(mit, "free of charge", "for a fee", 1), ""},
		"terms in a copyright line": {"Copyright (c) 2020 Somebody. You must not use it for profit.\n" + mit, ""},
		"a name in other letters":   {"Copyright (c) 2020 Łukasz Ångström 山田太郎\n" + mit, "MIT"},
		"a clause in Chinese":       {mit + "\n\n禁止用于商业用途。\n", ""},
		"a clause in Russian":       {mit + "\n\nЗапрещено коммерческое использование.\n", ""},
		"a clause (c)":              {mit + "\n(c) Redistribution to the military is prohibited.\n", ""},
		"terms in place of a name":  {strings.Replace(bsd3, "nor the names of its contributors", "must be shown on every page, and none of them", 1), ""},
		"a fourth clause":           {strings.Replace(bsd3, "THIS SOFTWARE IS", "All advertising materials mentioning features must display this: it is by us.\n\nTHIS SOFTWARE IS", 1), ""},
		"Apache-2.0 that was cut":   {string(apache[:len(apache)/2]), ""},
		"a title alone":             {"MIT License", ""},
		"nothing":                   {"\n", ""},
		"all rights reserved":       {"Copyright (c) 2020 Somebody. All rights reserved.", ""},
	} {
		t.Run(name, func(t *testing.T) {
			ids, unknown := classify(c.text)
			if found := strings.Join(ids, " "); found != c.ids {
				t.Errorf("it is taken for %q, not %q; not known: %q", found, c.ids, unknown)
			}
			if (unknown == "") != (c.ids != "") {
				t.Errorf("not known: %q", unknown)
			}
		})
	}
}

func TestPermitted(t *testing.T) {
	for ids, want := range map[string]bool{
		"MIT": true, "Apache-2.0 BSD-3-Clause": true, "ISC": true, "BSD-2-Clause": true,
		"": false, "MPL-2.0": false, "GPL-3.0": false, "LGPL-3.0": false, "MIT GPL-2.0": false, "CC0-1.0": false,
	} {
		if permitted(strings.Fields(ids)) != want {
			t.Errorf("%q: allowed is %t", ids, !want)
		}
	}
}
