package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"cmp"
	"compress/gzip"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"
)

// entry is a file of an archive, or a folder, whose name ends in a slash.
type entry struct {
	name string
	data []byte
	mode fs.FileMode
}

const (
	readable   fs.FileMode = 0o644
	executable fs.FileMode = 0o755
)

// ordered puts entries in order. Two of one name are a mistake.
func ordered(entries []entry) ([]entry, error) {
	entries = slices.SortedFunc(slices.Values(entries), func(a, b entry) int { return cmp.Compare(a.name, b.name) })
	for i := range entries {
		if i > 0 && entries[i].name == entries[i-1].name {
			return nil, fmt.Errorf("duplicate entry %s", entries[i].name)
		}
	}
	return entries, nil
}

// tarball is a tar.gz of the entries, and of nothing else: all have the same time, and belong to user 0.
func tarball(entries []entry, at time.Time) ([]byte, error) {
	entries, err := ordered(entries)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	gz, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	w := tar.NewWriter(gz)
	for _, e := range entries {
		header := &tar.Header{Typeflag: tar.TypeReg, Name: e.name, Size: int64(len(e.data)), Mode: int64(e.mode), ModTime: at.UTC().Truncate(time.Second), Format: tar.FormatUSTAR}
		if strings.HasSuffix(e.name, "/") {
			header.Typeflag = tar.TypeDir
		}
		if err := w.WriteHeader(header); err != nil {
			return nil, err
		}
		if _, err := w.Write(e.data); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	err = gz.Close()
	return out.Bytes(), err
}

// zipped is a zip of the entries, in the same way.
func zipped(entries []entry, at time.Time) ([]byte, error) {
	entries, err := ordered(entries)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, e := range entries {
		header := &zip.FileHeader{Name: e.name, Method: zip.Deflate, Modified: at.UTC().Truncate(time.Second)}
		header.SetMode(e.mode)
		file, err := w.CreateHeader(header)
		if err != nil {
			return nil, err
		}
		if _, err := file.Write(e.data); err != nil {
			return nil, err
		}
	}
	err = w.Close()
	return out.Bytes(), err
}
