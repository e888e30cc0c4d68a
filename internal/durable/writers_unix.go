//go:build unix

package durable

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

const mostLinks = 40 // as many as Linux follows

// checkWriters resolves a path as the system does.
func checkWriters(path string) error {
	if !filepath.IsAbs(path) { // not cleaned: after a symbolic link, .. depends on the link's target
		folder, err := os.Getwd()
		if err != nil {
			return err
		}
		path = folder + "/" + path
	}
	at, rest, links := "/", strings.Split("./"+path, "/"), 0
	for len(rest) > 0 {
		next := filepath.Join(at, rest[0])
		rest = rest[1:]
		info, err := os.Lstat(next)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil // whoever opens the file gets the error, or creates it
		case err != nil:
			return err
		}
		if err := checkWriter(next, info); err != nil {
			return err
		}
		if info.Mode()&fs.ModeSymlink == 0 {
			at = next
			continue
		}
		if links++; links > mostLinks {
			return fmt.Errorf("%s: there are more than %d symbolic links on the way", path, mostLinks)
		}
		target, err := os.Readlink(next)
		if err != nil {
			return err
		}
		if filepath.IsAbs(target) {
			at = "/"
		}
		rest = append(strings.Split(target, "/"), rest...)
	}
	return nil
}

// checkWriter checks who can write to a file, a pipe or a folder, or change a symbolic link. A group whose number is that
// of a user counts as that user's own, as is usual with umask 002; but with an access list, the group's permissions are
// the limit for everybody on the list.
func checkWriter(path string, info fs.FileInfo) error {
	mode, user := info.Mode(), os.Geteuid()
	link := mode&fs.ModeSymlink != 0
	stat, known := info.Sys().(*syscall.Stat_t)
	if !known || mode&fs.ModeDevice != 0 {
		return nil
	}
	if owner := int(stat.Uid); owner != 0 && owner != user {
		return &OthersCanWriteError{Path: path, Mode: mode, Owner: owner, Fix: fmt.Sprintf("chown -h %d %s", user, path)}
	}
	if link || mode.IsDir() && mode&fs.ModeSticky != 0 || !othersMay(0o2, path, mode, stat) {
		return nil
	}
	return &OthersCanWriteError{Path: path, Mode: mode, Owner: -1, Fix: "chmod go-w " + path}
}

// othersMay reports whether anyone except a file's owner has a permission, given as a bit of its mode.
func othersMay(bit fs.FileMode, path string, mode fs.FileMode, stat *syscall.Stat_t) bool {
	own := stat.Gid == stat.Uid && int(stat.Uid) == os.Geteuid()
	return mode.Perm()&bit != 0 || mode.Perm()&(bit<<3) != 0 && (!own || hasAccessList(path))
}

// checkReaders checks the file itself, wherever links lead.
func checkReaders(path string) error {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if stat, known := info.Sys().(*syscall.Stat_t); known && othersMay(0o4, path, info.Mode(), stat) {
		return &OthersCanReadError{Path: path, Mode: info.Mode()}
	}
	return nil
}
