package cli

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
)

// pager holds back output until it no longer fits the terminal, and then passes it to a program.
type pager struct {
	command []string
	env     []string
	lines   int // that fit
	to      io.Writer
	held    bytes.Buffer
	program *exec.Cmd
	input   io.WriteCloser
}

// page sends output from here on through a pager, if it goes to a terminal and a pager is wanted. Commands that run until
// they are interrupted must not use it.
func (a *app) page() {
	if !a.terminal.out || a.stdout == nil || a.pager != nil || a.watched != nil || a.global.results.noPager || a.height < 2 {
		return
	}
	command := a.pagerCommand()
	if len(command) == 0 {
		return
	}
	_ = a.out.Flush() // output before the pager; an error will come again
	a.pager = &pager{command: command, env: a.pagerEnv(), lines: a.height - 1, to: a.stdout}
	a.out.Reset(a.pager)
}

// pagerCommand is the program and its arguments; none for no pager.
func (a *app) pagerCommand() []string {
	text := cmp.Or(a.env("QREDO_PAGER"), a.env("PAGER"), "less")
	if a.env("TERM") == "dumb" || text == "cat" {
		return nil
	}
	words := strings.Fields(text)
	if path, err := exec.LookPath(words[0]); err != nil || path == "" {
		return nil
	}
	return words
}

// pagerEnv is the environment without the command's own variables, which hold keys.
func (a *app) pagerEnv() []string {
	var env []string
	for _, line := range os.Environ() {
		if !strings.HasPrefix(line, "QREDO_") {
			env = append(env, line)
		}
	}
	if a.env("LESS") == "" {
		env = append(env, "LESS=FRX")
	}
	return env
}

func (p *pager) Write(data []byte) (int, error) {
	if p.program == nil {
		p.held.Write(data)
		if bytes.Count(p.held.Bytes(), []byte{'\n'}) <= p.lines {
			return len(data), nil
		}
		if err := p.start(); err != nil { // printed without a pager
			p.program, p.input = nil, nil
			return len(data), p.release()
		}
		_, err := p.input.Write(p.held.Bytes())
		return len(data), ended(err)
	}
	_, err := p.input.Write(data)
	return len(data), ended(err)
}

// ended ignores that the person has left the pager.
func ended(err error) error {
	if errors.Is(err, syscall.EPIPE) || errors.Is(err, os.ErrClosed) {
		return nil
	}
	return err
}

func (p *pager) start() (err error) {
	p.program = exec.Command(p.command[0], p.command[1:]...) //nolint:gosec,noctx // G204: the user's own pager, which ends by itself
	p.program.Stdout, p.program.Stderr, p.program.Env = os.Stdout, os.Stderr, p.env
	if p.input, err = p.program.StdinPipe(); err != nil {
		return err
	}
	return p.program.Start()
}

// release prints what was held back.
func (p *pager) release() error {
	p.lines = int(^uint(0) >> 1)
	_, err := p.to.Write(p.held.Bytes())
	p.held.Reset()
	return err
}

// unpage ends the pager: it waits until the person has left it.
func (a *app) unpage() error {
	p := a.pager
	if p == nil {
		return nil
	}
	err := a.out.Flush()
	a.pager = nil
	a.out.Reset(a.stdout)
	if p.program == nil {
		return errors.Join(err, p.release())
	}
	_ = p.input.Close() // the person may have left
	_ = p.program.Wait()
	return err
}
