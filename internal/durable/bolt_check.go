package durable

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"os"
)

// The format that bbolt writes, in the machine's byte order. A page has a header of 16 bytes: its number, flags, the
// number of its elements, and the number of overflow pages. The first two pages are metas, written in turn.
const (
	boltMagic    = 0xED0CDAED
	boltVersion  = 2
	headSize     = 16
	branchPage   = 0x01
	leafPage     = 0x02
	freelistPage = 0x10
	bucketFlag   = 0x01
	noFreelist   = ^uint64(0)
)

var order = binary.NativeEndian

type boltMeta struct{ pageSize, root, freelist, pages, txID uint64 }

// readMeta decodes a meta from the bytes of its page.
func readMeta(page []byte) (m boltMeta, ok bool) {
	meta := page[headSize:]
	sum := fnv.New64a()
	_, _ = sum.Write(meta[:56])
	if order.Uint32(meta) != boltMagic || order.Uint32(meta[4:]) != boltVersion || order.Uint64(meta[56:]) != sum.Sum64() {
		return m, false
	}
	return boltMeta{uint64(order.Uint32(meta[8:])), order.Uint64(meta[16:]), order.Uint64(meta[32:]), order.Uint64(meta[40:]), order.Uint64(meta[48:])}, true
}

// checkBolt refuses files that would crash bbolt, or that it would read with content missing: a truncated file, one that
// is not a bbolt file, or one with a damaged meta, which bbolt would read without its last transaction. With tree, it
// also follows the page numbers in branches and in the freelist: a wrong one can send bbolt round in circles until the
// stack is full, or make it overwrite pages in use. It does not check the content of leaves.
func checkBolt(file *os.File, path string, tree bool) error {
	info, err := file.Stat()
	switch {
	case err != nil:
		return err
	case info.Size() == 0:
		return fmt.Errorf("%s is empty: restore it from a copy, or remove it if there was nothing in it: %w", path, ErrDamaged)
	}
	var found []boltMeta
	for size := int64(512); size <= 1<<16; size *= 2 { // of a page, which depends on the machine that made the file
		var first, second [headSize + 64]byte
		if _, err := file.ReadAt(first[:], 0); err != nil {
			break
		}
		if _, err := file.ReadAt(second[:], size); err != nil {
			break
		}
		for _, page := range [][]byte{first[:], second[:]} {
			if m, ok := readMeta(page); ok && m.pageSize == uint64(size) {
				found = append(found, m)
			}
		}
	}
	switch {
	case len(found) == 0:
		return fmt.Errorf("%s was not made by this program, or its beginning is damaged; remove it if nothing was stored in it yet: %w", path, ErrDamaged)
	case len(found) == 1:
		return fmt.Errorf("%s has lost its last change, or the one before, since one of its first two pages is damaged: restore it from a copy: %w", path, ErrDamaged)
	}
	m := found[0]
	if found[1].txID > m.txID {
		m = found[1]
	}
	if want := m.pages * m.pageSize; uint64(info.Size()) < want { //nolint:gosec // a size is no less than zero
		return fmt.Errorf("%s was cut, to %d of %d bytes: restore it from a copy: %w", path, info.Size(), want, ErrDamaged)
	}
	if !tree {
		return nil
	}
	c := &boltCheck{file: file, meta: m, used: make([]uint64, m.pages/64+1)}
	if err := errors.Join(c.freelist(), c.tree(m.root, true)); err != nil {
		return fmt.Errorf("%s: %w: restore it from a copy: %w", path, err, ErrDamaged)
	}
	return nil
}

type boltCheck struct {
	file io.ReaderAt
	meta boltMeta
	used []uint64 // a bit for each page that is referred to
}

// use records a reference to a page. The page must exist, and must have no other reference.
func (c *boltCheck) use(page uint64) error {
	if page < 2 || page >= c.meta.pages {
		return fmt.Errorf("page %d does not exist", page)
	}
	if c.used[page/64]&(1<<(page%64)) != 0 {
		return fmt.Errorf("page %d is used twice", page)
	}
	c.used[page/64] |= 1 << (page % 64)
	return nil
}

// read reads a page and its overflow pages.
func (c *boltCheck) read(page uint64) (data []byte, flags uint16, count int, err error) {
	data = make([]byte, c.meta.pageSize)
	at := int64(page * c.meta.pageSize) //nolint:gosec // within the file
	if _, err := c.file.ReadAt(data, at); err != nil {
		return nil, 0, 0, err
	}
	more := uint64(order.Uint32(data[12:]))
	if order.Uint64(data) != page || more >= c.meta.pages-page {
		return nil, 0, 0, fmt.Errorf("page %d has another page's head", page)
	}
	if more > 0 {
		data = make([]byte, (more+1)*c.meta.pageSize)
		if _, err := c.file.ReadAt(data, at); err != nil {
			return nil, 0, 0, err
		}
	}
	return data, order.Uint16(data[8:]), int(order.Uint16(data[10:])), nil
}

// freelist checks the list of free pages.
func (c *boltCheck) freelist() error {
	if c.meta.freelist == noFreelist {
		return nil
	}
	if err := c.use(c.meta.freelist); err != nil {
		return err
	}
	data, flags, n, err := c.read(c.meta.freelist)
	if err != nil {
		return err
	}
	pages := len(data)/int(c.meta.pageSize) - 1 //nolint:gosec // at most 64 KiB
	count, ids := uint64(n), data[headSize:]    //nolint:gosec // at most 65535
	if n == 0xFFFF {
		count, ids = order.Uint64(ids), ids[8:]
	}
	if flags != freelistPage || count > uint64(len(ids)/8) {
		return fmt.Errorf("page %d is not a list of free pages", c.meta.freelist)
	}
	for i := range uint64(pages) { //nolint:gosec // no less than zero
		if err := c.use(c.meta.freelist + 1 + i); err != nil {
			return err
		}
	}
	for i := range count {
		if err := c.use(order.Uint64(ids[8*i:])); err != nil {
			return err
		}
	}
	return nil
}

// tree checks the branches below a page. All leaves of a tree are equally deep, so one of them determines the depth of
// the others. root means that the tree is the one of the buckets, each of which is a tree again.
func (c *boltCheck) tree(page uint64, root bool) error {
	if err := c.use(page); err != nil {
		return err
	}
	data, flags, count, err := c.read(page)
	switch {
	case err != nil:
		return err
	case headSize*(count+1) > len(data):
		return fmt.Errorf("page %d has more elements than fit in it", page)
	case flags == branchPage:
		return c.branch(page, data, count, root)
	case flags != leafPage:
		return fmt.Errorf("page %d is neither branch nor leaf", page)
	case root:
		return c.buckets(page, data, count)
	}
	return nil
}

func (c *boltCheck) branch(page uint64, data []byte, count int, root bool) error {
	var last []byte
	leaves := false
	for i := range count {
		at := headSize * (i + 1)
		key := part(data, at, order.Uint32(data[at:]), order.Uint32(data[at+4:]))
		if key == nil || i > 0 && bytes.Compare(last, key) >= 0 {
			return fmt.Errorf("page %d has keys out of order", page)
		}
		last = key
		child := order.Uint64(data[at+8:])
		if leaves {
			if err := c.use(child); err != nil {
				return err
			}
			continue
		}
		if err := c.tree(child, root); err != nil {
			return err
		}
		if i == 0 && !root {
			var head [headSize]byte
			if _, err := c.file.ReadAt(head[:], int64(child*c.meta.pageSize)); err != nil { //nolint:gosec // within the file
				return err
			}
			leaves = order.Uint16(head[8:]) == leafPage
		}
	}
	return nil
}

func (c *boltCheck) buckets(page uint64, data []byte, count int) error {
	for i := range count {
		at := headSize * (i + 1)
		if order.Uint32(data[at:])&bucketFlag == 0 {
			continue
		}
		pos, key := order.Uint32(data[at+4:]), order.Uint32(data[at+8:])
		bucket := part(data, at, pos+key, order.Uint32(data[at+12:]))
		if part(data, at, pos, key) == nil || len(bucket) < 16 {
			return fmt.Errorf("page %d has a bucket that is outside of it", page)
		}
		if child := order.Uint64(bucket); child != 0 { // otherwise its leaf is here
			if err := c.tree(child, false); err != nil {
				return err
			}
		}
	}
	return nil
}

// part returns the bytes that an element refers to; nil if its page is too short.
func part(data []byte, at int, pos, size uint32) []byte {
	from, to := uint64(at)+uint64(pos), uint64(at)+uint64(pos)+uint64(size) //nolint:gosec // a place is no less than zero
	if to > uint64(len(data)) {
		return nil
	}
	return data[from:to]
}
