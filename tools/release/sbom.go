package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

// sbom writes a bill of materials: of the command on a platform, or, without one, of the module. What it says of the command must be what is linked.
func (s *stage) sbom(ctx context.Context, files map[string][]byte, platform string, ship modules) error {
	out := filepath.Join(s.dir, "sbom.json")
	args := []string{"mod", "-test"}
	name := fmt.Sprintf("qredo_%s_module.cdx.json", s.version)
	if platform != "" {
		args = []string{"app", "-main", "cmd/qredo"}
		name = fmt.Sprintf("qredo_%s_%s.cdx.json", s.version, strings.ReplaceAll(platform, "/", "_"))
	}
	args = append(args, "-json", "-std", "-noserial", "-notimestamp", "-output", out, ".")
	if _, err := s.on(platform).output(ctx, s.clone(), s.sbomTool, args...); err != nil {
		return err
	}
	written, err := os.ReadFile(out)
	if err != nil {
		return err
	}
	var bom cdx.BOM
	if err := cdx.NewBOMDecoder(bytes.NewReader(written), cdx.BOMFileFormatJSON).Decode(&bom); err != nil {
		return err
	}
	if err := checkSBOM(&bom, s.version); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	patterns := []string{"./cmd/qredo"}
	if platform == "" {
		patterns = []string{"-test", "./..."}
	}
	all, err := s.packages(ctx, s.clone(), platform, patterns...)
	if err != nil {
		return err
	}
	linked := modules{}
	for _, p := range all {
		linked.add(p, "command")
	}
	if platform != "" {
		if err := linked.same(&bom); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	if err := linked.read(); err != nil {
		return err
	}
	setLicences(&bom, ship, linked)
	// The checksums of the tool are those of this machine's; its version stays.
	if bom.Metadata.Tools != nil && bom.Metadata.Tools.Tools != nil { //nolint:staticcheck // the tool writes it in this form
		for i := range *bom.Metadata.Tools.Tools { //nolint:staticcheck // see above
			(*bom.Metadata.Tools.Tools)[i].Hashes = nil //nolint:staticcheck // see above
		}
	}
	var text bytes.Buffer
	if err := cdx.NewBOMEncoder(&text, cdx.BOMFileFormatJSON).SetPretty(true).EncodeVersion(&bom, bom.SpecVersion); err != nil {
		return err
	}
	files[name] = text.Bytes()
	return nil
}

func checkSBOM(bom *cdx.BOM, version string) error {
	if bom.Metadata == nil || bom.Metadata.Component == nil || bom.Components == nil {
		return errors.New("it is empty")
	}
	if is := bom.Metadata.Component.Version; is != "v"+version {
		return fmt.Errorf("it is of version %s", is)
	}
	return nil
}

// setLicences writes into a bill of materials what is known of licences. The tool's own -licenses takes ISC for 0BSD, among others.
func setLicences(bom *cdx.BOM, known ...modules) {
	for i := range *bom.Components {
		c := &(*bom.Components)[i]
		for _, ms := range known {
			m := ms[c.Name+" "+c.Version]
			if c.Name == "std" {
				m = ms["std"]
			}
			if m == nil || len(m.unknown) > 0 {
				continue
			}
			var all cdx.Licenses
			for _, id := range m.licences {
				all = append(all, cdx.LicenseChoice{License: &cdx.License{ID: id}})
			}
			c.Licenses = &all
			break
		}
	}
}

// same says which modules are linked and not in a bill of materials, or the other way round. The standard library is no module.
func (ms modules) same(bom *cdx.BOM) error {
	var wrong []error
	named := map[string]bool{}
	for _, c := range *bom.Components {
		key := c.Name + " " + c.Version
		named[key] = true
		if ms[key] == nil && c.Name != "std" {
			wrong = append(wrong, fmt.Errorf("it has %s, which is not linked", key))
		}
	}
	for _, m := range ms.sorted() {
		if !named[m.String()] {
			wrong = append(wrong, fmt.Errorf("it lacks %s", m))
		}
	}
	return errors.Join(wrong...)
}
