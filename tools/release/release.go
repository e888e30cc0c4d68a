package main

import "context"

type release struct {
	environment
	repository, version string
	platforms           []string
	trial               bool
}

func (r *release) prepare(ctx context.Context) error          { return nil }
func (r *release) make(ctx context.Context, out string) error { return nil }
