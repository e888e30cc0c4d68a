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
func (s *stage) sbom(ctx context.Context, files map[string][]byte, platform string) error {
	out := filepath.Join(s.dir, "sbom.json")
	args := []string{"mod"}
	name := fmt.Sprintf("qredo_%s_module.cdx.json", s.version)
	if platform != "" {
		args = []string{"app", "-main", "cmd/qredo"}
		name = fmt.Sprintf("qredo_%s_%s.cdx.json", s.version, strings.ReplaceAll(platform, "/", "_"))
	}
	args = append(args, "-json", "-licenses", "-std", "-noserial", "-notimestamp", "-output", out, ".")
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
	if platform != "" {
		all, err := s.packages(ctx, s.clone(), platform, "./cmd/qredo")
		if err != nil {
			return err
		}
		linked := modules{}
		for _, p := range all {
			linked.add(p, "command")
		}
		if err := linked.same(&bom); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
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
